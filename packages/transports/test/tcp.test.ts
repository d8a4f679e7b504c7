import { tcpTransport } from '@xen-replication/transports'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { addressOf, hostAndPort, pathOf } from '../src/url/address.ts'
import { boundPort } from '../src/tcp.ts'
import { never } from './temp-dir.ts'

const tcp = tcpTransport({ connectTimeoutMs: 3000 })

describe('tcp://', () => {
  it('says what to do when nobody listens', async () => {
    const listener = await tcp.listen('tcp://127.0.0.1:0', never())
    await listener.close()
    await expect(tcp.dial(listener.url, never())).rejects.toMatchObject({ code: 'LINK_REFUSED', hint: expect.stringContaining('start the receiving side') as string })
  })

  it('says when there is no such host', async () => {
    await expect(tcp.dial('tcp://no-such-host.invalid:1', never())).rejects.toMatchObject({ code: 'LINK_REFUSED' })
  })

  it('cannot listen at an address of another host', async () => {
    await expect(tcp.listen('tcp://192.0.2.1:0', never())).rejects.toMatchObject({ code: 'LINK_REFUSED' })
  })

  it('lets a few peers wait and sends away the rest, and those who wait when it closes', async () => {
    const listener = await tcp.listen('tcp://127.0.0.1:0', never())
    const peers = []
    for (let n = 0; n < 10; n++) peers.push(await tcp.dial(listener.url, never()))
    const outcomes = Promise.all(peers.map(async (peer) => peer.read(1)).map((read) => read.then(() => 'ended', ({ code }: { code: string }) => code)))
    await new Promise((resolve) => setTimeout(resolve, 50))
    await listener.close()
    expect(await outcomes).toEqual([...Array<string>(8).fill('LINK_LOST'), 'ended', 'ended'])
    for (const peer of peers) await peer.close()
  })

  it('calls off listening that is under way', async () => {
    const abort = new AbortController()
    const listening = tcp.listen('tcp://127.0.0.1:0', abort.signal)
    abort.abort(new Error('called off'))
    await expect(listening).rejects.toThrow('called off')
  })

  it('tells of a peer that was killed', async () => {
    const server = createServer((socket) => void setTimeout(() => socket.resetAndDestroy(), 20)).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const channel = await tcp.dial(`tcp://127.0.0.1:${boundPort(server)}`, never())
    await channel.write([new Uint8Array(10)])
    await expect(Promise.resolve(channel.read(1))).rejects.toMatchObject({ code: 'LINK_LOST' })
    await channel.close()
    server.close()
  })
})

describe('an address', () => {
  it.each([
    ['tcp://host:7', { host: 'host', port: 7 }],
    ['tcp://host:7/', { host: 'host', port: 7 }],
    ['tcp://[2001:db8::1]:65535', { host: '2001:db8::1', port: 65_535 }],
    ['tcp://0.0.0.0:0', { host: '0.0.0.0', port: 0 }],
  ])('%s', (url, address) => {
    expect(addressOf(url)).toMatchObject(address)
  })

  it.each(['tcp:host:7', 'tcp://host', 'tcp://:7', 'tcp://host:65536', 'tcp://host:7/path', 'tcp://a:b:7', 'tcp://[::1]', 'tcp://user@host:7x', 'tcp://host:-1', 'tcp://host:7#x'])('%s is none', (url) => {
    expect(() => addressOf(url)).toThrow(expect.objectContaining({ code: 'LINK_ADDRESS' }) as Error)
  })

  it.each(['a=1&a=2', 'b=1', 'a', 'A=1', 'a=%', 'a=1&c=2'])('with options %s is none', (query) => {
    expect(() => addressOf(`tcp://host:7?${query}`, ['a', 'c'].slice(0, query.includes('c') ? 1 : 2))).toThrow(expect.objectContaining({ code: 'LINK_ADDRESS' }) as Error)
  })

  it('has options, percent signs undone', () => {
    expect(Object.fromEntries(addressOf('tls://host:7?a=/x%20y&c=&', ['a', 'c']).options)).toEqual({ a: '/x y', c: '' })
    expect(() => addressOf('tcp://host:7?x=1')).toThrow(expect.objectContaining({ hint: 'there are none' }) as Error)
  })

  it('is written with brackets where it needs them', () => {
    expect([hostAndPort('::1', 5), hostAndPort('a', 5)]).toEqual(['[::1]:5', 'a:5'])
  })
})

describe('a path', () => {
  it.each([['file:/a b', '/a b'], ['file:a%20b', 'a%20b'], ['file:///a%20b', '/a b'], ['unix:./s', './s'], ['file:a:b', 'a:b']])('of %s is %s', (url, path) => {
    expect(pathOf(url)).toBe(path)
  })

  it.each(['file:', 'file:///%', 'file:a\0b'])('of %o is none', (url) => {
    expect(() => pathOf(url)).toThrow(expect.objectContaining({ code: 'LINK_ADDRESS' }) as Error)
  })
})
