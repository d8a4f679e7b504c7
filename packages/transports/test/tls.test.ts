import { tlsTransport } from '@xen-replication/transports'
import type { Channel } from '@xen-replication/plugin-api'
import { writeFileSync } from 'node:fs'
import { connect as connectPlain, createServer } from 'node:net'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { boundPort } from '../src/tcp.ts'
import { makeCertificates } from './certificates.ts'
import { never, tempDir, type TempDir } from './temp-dir.ts'

const tls = tlsTransport({ connectTimeoutMs: 1000, files: {} })
let dir: TempDir
let ours: string
let theirs: string
let files: { ca: string; cert: string; key: string }
beforeAll(() => {
  dir = tempDir()
  files = makeCertificates(dir, 'ours')
  const others = makeCertificates(dir, 'theirs')
  ours = `ca=${files.ca}&cert=${files.cert}&key=${files.key}`
  theirs = `ca=${files.ca}&cert=${others.cert}&key=${others.key}`
})
afterAll(() => dir.remove())

/** Listens with `query`, dials with what is given, and says how it went. */
async function attempt(listenQuery: string, dialQuery: string): Promise<string> {
  const listener = await tls.listen(`tls://127.0.0.1:0?${listenQuery}`, never())
  const abort = new AbortController()
  const accepted = listener.accept(abort.signal).catch(() => undefined)
  const outcome = await tls.dial(`${listener.url}?${dialQuery}`, never()).then((channel) => talk(channel, accepted), ({ code }: { code: string }) => `dial: ${code}`)
  abort.abort()
  await (await accepted)?.close()
  await listener.close()
  return outcome
}

async function talk(channel: Channel, accepted: Promise<Channel | undefined>): Promise<string> {
  try {
    const answer = Promise.resolve(channel.read(1))
    void accepted.then((far) => far?.write([Uint8Array.of(7)]))
    return `read: ${String((await answer)?.[0])}`
  } catch (error) {
    return `read: ${(error as { code: string }).code}`
  } finally {
    await channel.close()
  }
}

describe('tls://', () => {
  it('joins peers that know each other', async () => expect(await attempt(ours, ours)).toBe('read: 7'))
  it('refuses a listener that our authorities do not know', async () => expect(await attempt(ours, 'servername=localhost')).toBe('dial: LINK_REFUSED'))
  it('refuses a listener whose certificate is for somebody else', async () => expect(await attempt(ours, `${ours}&servername=elsewhere`)).toBe('dial: LINK_REFUSED'))
  it('takes the name in the certificate when it is given', async () => expect(await attempt(ours, `${ours}&servername=localhost`)).toBe('read: 7'))
  it('sends away a peer without a certificate', async () => expect(await attempt(ours, `ca=${files.ca}`)).toBe('read: LINK_LOST'))
  it('sends away a peer with a certificate of an unknown authority', async () => expect(await attempt(ours, theirs)).not.toBe('read: 7'))
  it('takes anybody where insecure=1 is written, on both sides', async () => {
    expect(await attempt(`cert=${files.cert}&key=${files.key}&insecure=1`, 'insecure=1')).toBe('read: 7')
  })

  it.each([
    ['ca=<ca>', 'needs a certificate'],
    ['cert=<cert>&key=<key>', 'which peers may connect'],
    ['cert=<cert>&key=<key>&insecure=0', 'insecure=0 means nothing'],
    ['cert=<cert>&key=<key>&insecure', "'insecure' is not an option"],
    ['cert=/nowhere.pem&key=<key>&insecure=1', 'it does not exist'],
    ['cert=<cert>&key=<other>&insecure=1', 'cannot be used'],
    ['cert=<cert>&key=<key>&secure=1', "'secure=1' is not an option"],
  ])('cannot listen with %s', async (query, message) => {
    const written = query.replace('<cert>', files.cert).replace('<key>', files.key).replace('<other>', dir.path('theirs.key')).replace('<ca>', files.ca)
    await expect(tls.listen(`tls://127.0.0.1:0?${written}`, never())).rejects.toMatchObject({ code: 'LINK_ADDRESS', message: expect.stringContaining(message) as string })
  })

  it('cannot dial with a file that is no certificate', async () => {
    writeFileSync(dir.path('junk.pem'), 'junk')
    await expect(tls.dial(`tls://127.0.0.1:1?cert=${dir.path('junk.pem')}`, never())).rejects.toMatchObject({ code: 'LINK_ADDRESS' })
  })

  it('uses the files of the configuration where the URL names none', async () => {
    const configured = tlsTransport({ connectTimeoutMs: 1000, files })
    const listener = await configured.listen('tls://127.0.0.1:0', never())
    const [near, far] = await Promise.all([configured.dial(listener.url, never()), listener.accept(never())])
    await Promise.all([near.close(), far.close(), listener.close()])
  })

  it('goes on listening after a stranger talked nonsense or an old version', async () => {
    const listener = await tls.listen(`tls://127.0.0.1:0?${ours}`, never())
    const port = Number(listener.url.split(':')[2])
    const stranger = connectPlain(port, '127.0.0.1').on('error', () => undefined)
    stranger.end('GET / HTTP/1.0\r\n\r\n')
    const old = connect({ port, host: '127.0.0.1', maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL@SECLEVEL=0', rejectUnauthorized: false })
    await expect(new Promise((_, reject) => old.once('error', reject))).rejects.toThrow()
    const [near, far] = await Promise.all([tls.dial(`${listener.url}?${ours}`, never()), listener.accept(never())])
    await Promise.all([near.close(), far.close(), listener.close()])
  })
})

describe('a peer that says nothing', () => {
  it('is given up after the time that was set, or when called off', async () => {
    const sockets: { destroy(): void }[] = []
    const server = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const url = `tls://127.0.0.1:${boundPort(server)}`
    const quick = tlsTransport({ connectTimeoutMs: 50, files: {} })
    await expect(quick.dial(url, never())).rejects.toMatchObject({ code: 'LINK_TIMEOUT' })
    const abort = new AbortController()
    const dialling = tls.dial(url, abort.signal)
    setTimeout(() => abort.abort(new Error('called off')), 20)
    await expect(dialling).rejects.toThrow('called off')
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  it('of plain text is not trusted', async () => {
    const server = createServer((socket) => socket.end('220 mail ready\r\n')).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    await expect(tls.dial(`tls://127.0.0.1:${boundPort(server)}`, never())).rejects.toMatchObject({ code: 'LINK_REFUSED' })
    server.close()
  })
})
