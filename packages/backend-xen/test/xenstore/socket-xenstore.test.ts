import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SocketXenstore } from '../../src/xenstore/socket-xenstore.ts'
import { encodeMessage, MessageReader, XS, type XsMessage } from '../../src/xenstore/wire.ts'

const text = (body: Uint8Array): string => Buffer.from(body).toString('latin1')
const bytes = (body: string): Uint8Array => Buffer.from(body, 'latin1')

/** xenstored as far as these tests go: answers as `answer` says, whole or cut. */
interface FakeDaemon {
  readonly path: string
  readonly asked: (readonly [type: number, transaction: number, body: string])[]
  answer: (message: XsMessage) => readonly [type: number, body: string]
  cut: number
  send(message: XsMessage): void
  raw(data: Uint8Array): void
  close(): Promise<void>
}

let daemon: FakeDaemon
let dir = ''

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'xr-test-'))
  daemon = await startDaemon(join(dir, 'socket'))
})
afterEach(async () => {
  await daemon.close()
  rmSync(dir, { recursive: true })
})

async function startDaemon(path: string): Promise<FakeDaemon> {
  const sockets: Socket[] = []
  const fake: FakeDaemon = {
    path, asked: [], cut: 1 << 20,
    answer: ({ type }) => [type, 'OK\0'],
    send: (message) => fake.raw(encodeMessage(message)),
    raw: (data) => {
      for (const socket of sockets) for (let at = 0; at < data.length; at += fake.cut) socket.write(data.subarray(at, at + fake.cut))
    },
    close: () => new Promise((resolve) => {
      for (const socket of sockets) socket.destroy()
      server.close(() => resolve())
    }),
  }
  const server: Server = createServer((socket) => {
    sockets.push(socket)
    const reader = new MessageReader()
    socket.on('data', (data: Uint8Array) => {
      for (const message of reader.push(data)) {
        fake.asked.push([message.type, message.transaction, text(message.body)])
        const [type, body] = fake.answer(message)
        fake.send({ ...message, type, body: bytes(body) })
      }
    })
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return fake
}

describe('xenstore over its socket', () => {
  it.each([1 << 20, 1, 7])('reads, lists, writes and removes, in pieces of %i bytes', async (cut) => {
    daemon.cut = cut
    daemon.answer = ({ type, body }) => [type, type === XS.read ? `value of ${text(body).slice(0, -1)}` : type === XS.directory ? 'a\0bc\0' : 'OK\0']
    const store = await SocketXenstore.open(daemon.path)
    expect(await store.read('/x')).toBe('value of /x')
    expect(await store.list('/y')).toEqual(['a', 'bc'])
    await store.write('/z', 'v')
    await store.remove('/z')
    await store.resumeDomain(7)
    expect(daemon.asked).toEqual([[XS.read, 0, '/x\0'], [XS.directory, 0, '/y\0'], [XS.write, 0, '/z\0v'], [XS.remove, 0, '/z\0'], [XS.resume, 0, '7\0']])
    store.close()
  })

  it('tells nodes that are not there from trouble', async () => {
    daemon.answer = () => [XS.error, 'ENOENT\0']
    const store = await SocketXenstore.open(daemon.path)
    expect([await store.read('/x'), await store.list('/x'), await store.remove('/x')]).toEqual([undefined, [], undefined])
    daemon.answer = () => [XS.error, 'EACCES\0']
    await expect(store.read('/x')).rejects.toMatchObject({ code: 'BACKEND_DENIED', message: expect.stringContaining('read /x') as string })
    daemon.answer = () => [XS.error, 'ENOSPC\0']
    await expect(store.write('/x', '')).rejects.toMatchObject({ code: 'BACKEND_HOST' })
    store.close()
  })

  it('does things at once, again when somebody came between', async () => {
    let commits = 0
    daemon.answer = ({ type }) => (type === XS.transactionStart ? [type, '42\0'] : type === XS.transactionEnd && ++commits === 1 ? [XS.error, 'EAGAIN\0'] : [type, 'now'])
    const store = await SocketXenstore.open(daemon.path)
    expect(await store.atomically((view) => view.read('/x'))).toBe('now')
    expect(daemon.asked.filter(([type]) => type === XS.read)).toEqual([[XS.read, 42, '/x\0'], [XS.read, 42, '/x\0']])
    await expect(store.atomically(() => Promise.reject(new Error('changed my mind')))).rejects.toThrow('changed my mind')
    expect(daemon.asked.at(-1)).toEqual([XS.transactionEnd, 42, 'F\0'])
    store.close()
  })

  it('tells of changes until told otherwise', async () => {
    const store = await SocketXenstore.open(daemon.path)
    let changes = 0
    let heard: () => void = () => undefined
    const stop = await store.watch('@releaseDomain', () => {
      changes++
      heard()
    })
    const token = (daemon.asked[0]?.[2] ?? '').split('\0')[1] ?? ''
    const next = new Promise<void>((resolve) => (heard = resolve))
    daemon.send({ type: XS.watchEvent, request: 0, transaction: 0, body: bytes(`@releaseDomain\0${token}\0`) })
    await next
    await stop()
    daemon.send({ type: XS.watchEvent, request: 0, transaction: 0, body: bytes(`@releaseDomain\0${token}\0`) })
    await store.read('/x')
    expect(changes).toBe(1)
    store.close()
  })

  it('fails everything that waits when xenstored goes, and what comes after', async () => {
    const store = await SocketXenstore.open(daemon.path)
    daemon.answer = () => {
      void daemon.close()
      return [0, '']
    }
    await expect(store.read('/x')).rejects.toMatchObject({ code: 'BACKEND_HOST' })
    await expect(store.read('/x')).rejects.toMatchObject({ code: 'BACKEND_HOST' })
    store.close()
  })

  it('is given up when what comes is no xenstored’s', async () => {
    const store = await SocketXenstore.open(daemon.path)
    const waiting = store.read('/x')
    daemon.answer = ({ type }) => [type, '']
    daemon.raw(new Uint8Array(64).fill(0xff))
    await expect(Promise.all([waiting, store.read('/y')])).rejects.toMatchObject({ code: 'BACKEND_HOST' })
    store.close()
  })

  it('takes nothing that is too long, and nothing when closed', async () => {
    const store = await SocketXenstore.open(daemon.path)
    await expect(store.write('/x', 'y'.repeat(4096))).rejects.toMatchObject({ code: 'BACKEND_HOST' })
    store.close()
    await expect(store.read('/x')).rejects.toMatchObject({ code: 'BACKEND_STATE' })
  })

  it('is not there where nobody listens', async () => {
    await expect(SocketXenstore.open(join(dir, 'none'))).rejects.toMatchObject({ code: 'BACKEND_HOST' })
  })
})
