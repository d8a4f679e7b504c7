import { readFileSync } from 'node:fs'
import { createConnection, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { scratch } from '../../run-xr.ts'
import { host, listening, says, socket, withDemo } from './two-hosts.ts'

const BANNER = 'xl migration receiver ready, send binary domain data.\n'
const READY = 'domain received, ready to unpause\0'
const YOURS = 'domain is yours, you are cleared to unpause\0'
const REPORT = 'my copy unpause results are as follows\0'

/** A peer that follows a script. Nothing in it knows xr. */
class Puppet {
  readonly #socket: Socket
  heard = Buffer.alloc(0)
  #ended = false
  #wake = (): void => undefined

  constructor(peer: Socket) {
    this.#socket = peer
    onTestFinished(() => void peer.destroy())
    peer.on('error', () => undefined)
    peer.on('data', (chunk: Buffer) => {
      this.heard = Buffer.concat([this.heard, chunk])
      this.#wake()
    })
    for (const over of ['end', 'close']) {
      peer.on(over, () => {
        this.#ended = true
        this.#wake()
      })
    }
  }

  say(bytes: string | Uint8Array): void {
    this.#socket.write(bytes)
  }

  hangUp(): void {
    this.#socket.end()
  }

  async hears(text: string): Promise<void> {
    while (!this.heard.includes(text)) {
      if (this.#ended) throw new Error(`the other side ended; it never said ${text}`)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  async end(): Promise<void> {
    while (!this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve))
  }
}

/** `xl migrate-receive`, as far as the script goes; the link ends with it. */
function receiverAt(url: string, script: (peer: Puppet) => Promise<void>): void {
  const server = createServer({ allowHalfOpen: true }, (socketOf) => {
    const peer = new Puppet(socketOf)
    void script(peer).catch(() => undefined).finally(() => peer.hangUp())
  }).listen(url.slice(5))
  onTestFinished(() => void server.close())
}

/** All memory of the guest is there; what follows it is small. */
async function imageHeard(peer: Puppet): Promise<void> {
  while (peer.heard.length < MEMORY_BYTES) await new Promise((resolve) => setTimeout(resolve, 10))
  await new Promise((resolve) => setTimeout(resolve, 500))
}
const MEMORY_BYTES = 8_300_000

describe('xr migrate --peer xl, of which the receiver', () => {
  it.each<[string, (peer: Puppet) => Promise<void>, number, RegExp, string]>([
    ['goes without a word', () => Promise.resolve(), 5, /LINK_LOST: .*"banner" was due/, 'demo running'],
    ['breaks off within the banner', (peer) => Promise.resolve(peer.say(BANNER.slice(0, 20))), 5, /LINK_LOST: .*"banner" was due/, 'demo running'],
    ['says something else', (peer) => Promise.resolve(peer.say(`${'login: '.repeat(9)}\n`)), 1, /FMT_HANDSHAKE: .*login/, 'demo running'],
    ['goes after the banner', (peer) => Promise.resolve(peer.say(BANNER)), 5, /LINK_(LOST|TIMEOUT): .*demo runs on here/, 'demo running'],
    ['goes when it has the guest, before it says so', async (peer) => (peer.say(BANNER), await imageHeard(peer)), 5, /LINK_LOST: .*; demo runs on here/, 'demo running'],
    ['goes once the guest is handed over', async (peer) => (peer.say(BANNER + READY), await peer.hears(YOURS)), 5, /SESSION_UNDECIDED: .*; demo stands suspended here\nhint: look on the other host/, 'demo--migratedaway suspended'],
    ['goes within the report', async (peer) => (peer.say(BANNER + READY), await peer.hears(YOURS), peer.say(REPORT.slice(0, 9))), 5, /SESSION_UNDECIDED: /, 'demo--migratedaway suspended'],
    ['goes before the status', async (peer) => (peer.say(BANNER + READY), await peer.hears(YOURS), peer.say(REPORT)), 5, /SESSION_UNDECIDED: /, 'demo--migratedaway suspended'],
    ['reports a failure and goes', async (peer) => (peer.say(BANNER + READY), await peer.hears(YOURS), peer.say(`${REPORT}\x01`)), 5, /SESSION_UNDECIDED: /, 'demo--migratedaway suspended'],
    ['reports a failure and gives the guest back', async (peer) => (peer.say(BANNER + READY), await peer.hears(YOURS), peer.say(`${REPORT}\x01${YOURS}`)), 1, /SESSION_GIVEN_BACK: .*; demo runs on here/, 'demo running'],
  ])('%s', async (_, script, code, why, stands) => {
    const [a, url] = [await withDemo(), socket()]
    receiverAt(url, script)
    expect(await a.start(['migrate', '--peer', 'xl', 'demo', url]).end).toMatchObject({ code, stderr: says(why) })
    expect(await a.guests()).toEqual([stands])
  })

  it('takes it, byte for byte as xl does', async () => {
    const [a, url] = [await withDemo(), socket()]
    let heard = Buffer.alloc(0)
    receiverAt(url, async (peer) => {
      peer.say(BANNER + READY)
      await peer.hears(YOURS)
      peer.say(`${REPORT}\0`)
      heard = peer.heard
    })
    expect(await a.start(['migrate', '--peer', 'xl', 'demo', url]).end).toMatchObject({ code: 0, stderr: expect.not.stringMatching(/^xr: /m) as string })
    expect([heard.subarray(0, 32).toString('latin1'), heard.subarray(-YOURS.length).toString('latin1')]).toEqual(['Xen saved domain, xl format\n \0 \r', YOURS])
    expect(await a.guests()).toEqual([])
  })
})

describe('xr receive --xl, of which the sender', () => {
  /** An image as `xl save` writes it. */
  async function image(): Promise<Buffer> {
    const file = join(scratch(), 'demo.xl')
    expect((await (await withDemo()).on('save', 'demo', file)).exit).toBe(0)
    return readFileSync(file)
  }

  async function against(script: (peer: Puppet, bytes: Buffer) => Promise<unknown>) {
    const [b, url, bytes] = [host(), socket(), await image()]
    const receiving = b.start(['receive', '--xl', url])
    await listening(url)
    const peer = new Puppet(createConnection({ path: url.slice(5), allowHalfOpen: true }))
    await script(peer, bytes)
    peer.hangUp()
    const { code, stderr } = await receiving.end
    await peer.end()
    return { code, stderr, guests: await b.guests(), heard: peer.heard.toString('latin1') }
  }

  it.each<[string, (peer: Puppet, bytes: Buffer) => Promise<unknown>, number, RegExp, readonly string[], string]>([
    ['goes at once', (peer) => peer.hears(BANNER), 5, /LINK_LOST: .*nothing of the guest is left here/, [], BANNER],
    ['goes within the image', async (peer, bytes) => (await peer.hears(BANNER), peer.say(bytes.subarray(0, 3_000_000))), 5, /LINK_LOST: .*nothing of demo is left here/, [], BANNER],
    ['sends something else', async (peer) => (await peer.hears(BANNER), peer.say('GET / HTTP/1.1\r\n\r\n')), 3, /TOOL_IMAGE: /, [], BANNER],
    ['goes before it hands the guest over', async (peer, bytes) => (await peer.hears(BANNER), peer.say(bytes), await peer.hears(READY)), 5, /LINK_LOST: .*nothing of demo is left here/, [], `${BANNER}${READY}${REPORT}\x01${YOURS}`],
    ['goes within the permission', async (peer, bytes) => (await peer.hears(BANNER), peer.say(bytes), await peer.hears(READY), peer.say(YOURS.slice(0, 9))), 5, /LINK_LOST: .*nothing of demo is left here/, [], `${BANNER}${READY}${REPORT}\x01${YOURS}`],
    ['says something else than the permission', async (peer, bytes) => (await peer.hears(BANNER), peer.say(bytes), await peer.hears(READY), peer.say(READY + READY)), 1, /FMT_HANDSHAKE: permission/, [], `${BANNER}${READY}${REPORT}\x01${YOURS}`],
    ['hands the guest over and goes', async (peer, bytes) => (await peer.hears(BANNER), peer.say(bytes), await peer.hears(READY), peer.say(YOURS)), 0, /^(?!xr: )/, ['demo running'], `${BANNER}${READY}${REPORT}\0`],
  ])('%s', async (_, script, code, why, guests, heard) => {
    const run = await against(script)
    expect(run).toMatchObject({ code, stderr: says(why), guests, heard })
  })
})
