import { Duplex, PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { StreamChannel } from '../../src/channel/stream-channel.ts'

const release = (): Promise<void> => Promise.resolve()
const broken = (code: string): Error => Object.assign(new Error('broken'), { code })

describe('a command whose input breaks', () => {
  it('can still be read, so that its last words are heard', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()]
    const channel = new StreamChannel({ where: 'exec:x', input, output, release })
    output.destroy(broken('EPIPE'))
    await new Promise(setImmediate)
    await expect(channel.write([new Uint8Array(1)])).rejects.toMatchObject({ code: 'LINK_LOST' })
    input.end('last words')
    expect(Buffer.from((await channel.read(100)) ?? []).toString()).toBe('last words')
    expect(await channel.read(1)).toBeUndefined()
  })
})

describe('a socket that breaks', () => {
  const socket = (): Duplex => new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })

  it('gives what had come, then says why', async () => {
    const stream = socket()
    const channel = new StreamChannel({ where: 'tcp://h:1', input: stream, output: stream, release })
    stream.push('abc')
    await new Promise(setImmediate)
    stream.destroy(broken('ECONNRESET'))
    await new Promise(setImmediate)
    expect(Buffer.from((await channel.read(100)) ?? []).toString()).toBe('abc')
    await expect(channel.read(1)).rejects.toMatchObject({ code: 'LINK_LOST', message: 'tcp://h:1: the peer has broken off' })
    await expect(channel.write([new Uint8Array(1)])).rejects.toMatchObject({ code: 'LINK_LOST' })
    await expect(channel.end()).rejects.toMatchObject({ code: 'LINK_LOST' })
  })

  it.each([['ETIMEDOUT', 'LINK_TIMEOUT'], ['ENOSPC', 'LINK_IO'], ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'LINK_LOST'], ['ESOMETHING', 'LINK_LOST']])('by %s says %s', async (systemCode, code) => {
    const stream = socket()
    const channel = new StreamChannel({ where: 'tcp://h:1', input: stream, output: stream, release })
    stream.destroy(broken(systemCode))
    await expect(channel.read(1)).rejects.toMatchObject({ code })
  })

  it('without a word counts as lost, not as ended', async () => {
    const stream = socket()
    const channel = new StreamChannel({ where: 'tcp://h:1', input: stream, output: stream, release })
    stream.destroy()
    await expect(channel.read(1)).rejects.toMatchObject({ code: 'LINK_LOST' })
  })

  it('while it is being ended says so', async () => {
    const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done(), final: () => undefined })
    const channel = new StreamChannel({ where: 'tcp://h:1', input: stream, output: stream, release })
    const ending = channel.end()
    await new Promise(setImmediate)
    stream.destroy()
    await expect(ending).rejects.toMatchObject({ code: 'LINK_LOST' })
  })

  it('because it is closed here says that', async () => {
    const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done(), final: () => undefined })
    const channel = new StreamChannel({ where: 'tcp://h:1', input: stream, output: stream, release: () => Promise.resolve(void stream.destroy()) })
    const ending = channel.end()
    await new Promise(setImmediate)
    await channel.close()
    await expect(ending).rejects.toMatchObject({ code: 'LINK_CLOSED' })
  })
})

describe('a way in one direction', () => {
  it('cannot be written when it is to be read', async () => {
    const channel = new StreamChannel({ where: 'fd:0', input: new PassThrough(), output: undefined, release })
    await expect(channel.write([new Uint8Array(1)])).rejects.toMatchObject({ code: 'LINK_ONE_WAY' })
    await channel.end()
  })

  it('cannot be read when it is to be written, until it has ended', async () => {
    const channel = new StreamChannel({ where: 'fd:1', input: undefined, output: new PassThrough(), release })
    await expect(channel.read(1)).rejects.toMatchObject({ code: 'LINK_ONE_WAY' })
    await channel.end()
    expect(await channel.read(1)).toBeUndefined()
    await channel.close()
    await expect(channel.read(1)).rejects.toMatchObject({ code: 'LINK_CLOSED' })
  })
})
