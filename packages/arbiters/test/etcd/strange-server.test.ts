import { etcdArbiter } from '@xen-replication/arbiters'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { claimOf, never, reasonOf } from '../asking.ts'

type Answer = (response: ServerResponse) => void
let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** Serves the first question well, as `open` asks it, and what follows as told. */
async function serve(answer: Answer): Promise<string> {
  let first = true
  server = createServer((request, response) => {
    request.resume()
    if (first) response.end('{}')
    else answer(response)
    first = false
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return `etcd://127.0.0.1:${(server.address() as { port: number }).port}/xr?timeout=2000`
}

const kv = (over: object): string => JSON.stringify({
  responses: [{ response_range: { kvs: [{ key: 'eA==', value: Buffer.from(JSON.stringify(claimOf('s'))).toString('base64'), create_revision: '5', mod_revision: '5', ...over }] } }],
})

describe('a server that is not etcd, or one that is broken', () => {
  it.each<[string, Answer]>([
    ['no JSON', (r) => r.end('<html>hello</html>')],
    ['nothing', (r) => r.end()],
    ['a number', (r) => r.end('7')],
    ['null', (r) => r.end('null')],
    ['no responses', (r) => r.end('{"succeeded":true}')],
    ['empty responses', (r) => r.end('{"succeeded":true,"responses":[]}')],
    ['a range without keys', (r) => r.end('{"succeeded":true,"responses":[{"response_range":{}}]}')],
    ['keys that are no list', (r) => r.end('{"responses":[{"response_range":{"kvs":{}}}]}')],
    ['two keys', (r) => r.end('{"responses":[{"response_range":{"kvs":[{},{}]}}]}')],
    ['a key without members', (r) => r.end('{"responses":[{"response_range":{"kvs":[{}]}}]}')],
    ['a revision that is a number', (r) => r.end(kv({ create_revision: 5 }))],
    ['a revision that is negative', (r) => r.end(kv({ create_revision: '-5' }))],
    ['a revision without end', (r) => r.end(kv({ create_revision: '9'.repeat(400) }))],
    ['a key that was changed', (r) => r.end(kv({ mod_revision: '6' }))],
    ['an error', (r) => r.writeHead(503).end('{"error":"etcdserver: no leader","code":14}')],
    ['an error without words', (r) => r.writeHead(500).end('{}')],
    ['a redirection', (r) => r.writeHead(302, { location: 'http://127.0.0.1:1/' }).end('{}')],
    ['a connection that is cut', (r) => r.destroy()],
    ['half an answer', (r) => {
      r.writeHead(200, { 'content-length': 1000 })
      r.write('{"responses"')
      setTimeout(() => r.destroy(), 20)
    }],
    ['an answer without end', (r) => {
      const more = (): void => {
        while (!r.destroyed && r.write(' '.repeat(65_536)));
      }
      r.on('drain', more)
      more()
    }],
    ['silence', () => undefined],
  ])('%s: no answer', async (_, answer) => {
    const arbiter = await etcdArbiter.open(await serve(answer), never())
    const verdict = await arbiter.claim(claimOf('s'), never())
    expect(verdict.answer).toBe('unknown')
    expect(reasonOf(verdict)).toMatch(/./)
    await arbiter.close()
  })

  it.each([['no JSON', 'hello'], ['no keys', '{}'], ['a key of somebody else', '{"kvs":[{"key":"eA==","value":"eA==","create_revision":"5","mod_revision":"5"}]}']])('%s: nothing holds', async (_, text) => {
    const arbiter = await etcdArbiter.open(await serve((r) => r.end(text)), never())
    expect(await arbiter.holds({ claim: claimOf('s'), token: 5n }, never())).toBe(false)
    await arbiter.close()
  })
})

describe('URLs', () => {
  it.each([
    'etcd:', 'etcd://host/key', 'etcd://host:0/key', 'etcd://host:99999/key', 'etcd://host:1', 'etcd://host:1/', 'etcd://a:1,/key', 'etcd://user@host:1/key', 'etcd://host:1/key#x',
    'etcd://host:1/key?insecure=1', 'etcd://host:1/key?tls=yes', 'etcd://host:1/key?tls=1&tls=1', 'etcd://host:1/key?cert=/c', 'etcd://host:1/key?key=/k', 'etcd://host:1/key?user=u',
    'etcd://host:1/key?timeout=0', 'etcd://host:1/key?timeout=x', 'etcd://host:1/%zz', 'etcd://::1:1/key', 'etcd://host:1/key?ca=/no/such/file',
  ])('%s is refused', (url) => expect(etcdArbiter.open(url, never())).rejects.toMatchObject({ code: 'ARBITER_ADDRESS', hint: expect.stringMatching(/./) as string }))

  it.each(['etcd://[::1]:1/key?timeout=500', 'etcd://127.0.0.1:1,127.0.0.1:2/a/b/?timeout=500ms'])('%s is tried', (url) =>
    expect(etcdArbiter.open(url, never())).rejects.toMatchObject({ code: 'ARBITER_UNREACHABLE' }))

  it('a password that cannot be read is told', () =>
    expect(etcdArbiter.open('etcd://127.0.0.1:1/key?user=u&password-file=/no/such/file', never())).rejects.toThrow(/no such file/))

  it('opening can be called off', () => expect(etcdArbiter.open('etcd://127.0.0.1:1/key', AbortSignal.abort(new Error('called off')))).rejects.toThrow('called off'))
})
