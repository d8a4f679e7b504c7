import { ByteReader, encodeColoMessage, readColoMessage, type ByteSink, type ColoMessageName } from '@xen-replication/format'
import { drive, LinkError, type AbortSignalLike, type Channel, type Clock } from '@xen-replication/plugin-api'
import { inTime } from '../link/in-time.ts'
import { watchedSource } from '../link/watched-source.ts'
import { QemuError } from '../qemu-error.ts'
import type { ReplaySource } from './replay-source.ts'
import { primaryTable, type PrimaryEffect, type PrimaryEvent, type PrimaryState } from './table.ts'

/** What happens, for whoever looks on. */
export type PrimaryNote =
  | { readonly kind: 'move'; readonly from: PrimaryState; readonly event: PrimaryEvent; readonly to: PrimaryState }
  /** The secondary has the guest and runs it. `ms`: since the stream began. */
  | { readonly kind: 'ready'; readonly ms: number }
  /** A checkpoint was loaded there. Times in milliseconds from the request on: until it stood still, had all of it, and ran again. */
  | { readonly kind: 'checkpoint'; readonly checkpoint: number; readonly repliedMs: number; readonly receivedMs: number; readonly loadedMs: number }

export interface ReplayPorts {
  readonly channel: Channel
  readonly source: ReplaySource
  readonly clock: Clock
  readonly signal: AbortSignalLike
  readonly observe?: (note: PrimaryNote) => void
  /** How many checkpoints to send: the source's own, from the first again where it is asked for more. Otherwise each once. */
  readonly checkpoints?: number
  /** From the end of a checkpoint to the next one, in milliseconds; default 200. */
  readonly intervalMs?: number
  /** Longest silence of the secondary, and longest time in which it takes nothing, in milliseconds; default 10,000. */
  readonly answerMs?: number
}

/** How it ended: so many checkpoints were loaded. */
export interface ReplayEnd {
  readonly end: 'done' | 'lost'
  readonly checkpoints: number
  /** Where the secondary was lost: why. */
  readonly why: Error | undefined
}

const ANSWER_MS = 10_000
const INTERVAL_MS = 200

/**
 * Is the primary of a QEMU that waits as a COLO secondary, without a guest: it sends what it was given. The channel stays open; the secondary
 * takes its end for a lost primary and waits for `x-colo-lost-heartbeat`.
 *
 * @throws FormatError, QemuError, ReplError for a secondary that is out of step; what reading the source throws; the reason of `signal`
 */
export async function runReplayPrimary(ports: ReplayPorts): Promise<ReplayEnd> {
  const primary = new ReplayPrimary(ports)
  await drive(primaryTable, {
    start: 'starting',
    begin: 'begin',
    lost: 'lost',
    perform: (effect) => primary.perform(effect),
    onMove: (from, event, to) => ports.observe?.({ kind: 'move', from, event, to }),
    signal: ports.signal,
  })
  return primary.end
}

class ReplayPrimary {
  readonly #ports: ReplayPorts
  readonly #reader: ByteReader
  readonly #answerMs: number
  readonly #wanted: number
  #why: Error | undefined
  #done = 0
  #began = 0
  #repliedMs = 0
  #receivedMs = 0

  constructor(ports: ReplayPorts) {
    const { channel, clock, signal, source, checkpoints = source.checkpoints, answerMs = ANSWER_MS } = ports
    this.#ports = ports
    this.#answerMs = answerMs
    this.#wanted = source.checkpoints === 0 ? 0 : checkpoints
    this.#reader = new ByteReader(watchedSource(channel, { clock, signal, peer: 'secondary', patience: () => answerMs }))
  }

  get end(): ReplayEnd {
    return { end: this.#why === undefined ? 'done' : 'lost', checkpoints: this.#done, why: this.#why }
  }

  async perform(effect: PrimaryEffect): Promise<PrimaryEvent | undefined> {
    try {
      return await this.#effects[effect]()
    } catch (error) {
      const why = isCut(error) ? new LinkError('LINK_LOST', 'the secondary is gone, in the middle of a message', { cause: error }) : error
      if (why instanceof LinkError) this.#why = why
      throw why
    }
  }

  readonly #effects: { readonly [effect in PrimaryEffect]: () => Promise<PrimaryEvent | undefined> } = {
    'send-stream': () => this.#sendStream(),
    pace: () => this.#pace(),
    'send:checkpoint-request': () => this.#request(),
    'send-memory': () => this.#sendMemory(),
    'send-devices': () => this.#sendDevices(),
    expect: () => this.#expect(),
    count: () => Promise.resolve(this.#count()),
  }

  /** The next checkpoint of the source; the first again behind the last. */
  get #next(): number {
    return this.#done % this.#ports.source.checkpoints
  }

  async #sendStream(): Promise<undefined> {
    this.#began = this.#ports.clock.now()
    await this.#ports.source.writeStream(this.#sink)
  }

  async #pace(): Promise<PrimaryEvent> {
    const { clock, signal, intervalMs = INTERVAL_MS } = this.#ports
    if (this.#done >= this.#wanted) return 'done'
    await clock.sleep(intervalMs, signal).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : error
    })
    return 'due'
  }

  async #request(): Promise<undefined> {
    this.#began = this.#ports.clock.now()
    await this.#say('checkpoint-request')
  }

  async #sendMemory(): Promise<undefined> {
    await this.#say('vmstate-send')
    await this.#ports.source.writeMemory(this.#next, this.#sink)
  }

  async #sendDevices(): Promise<undefined> {
    await this.#say('vmstate-size', this.#ports.source.devicesBytes(this.#next))
    await this.#ports.source.writeDevices(this.#next, this.#sink)
  }

  async #expect(): Promise<PrimaryEvent> {
    const message = await readColoMessage(this.#reader)
    if (message === undefined) throw new LinkError('LINK_LOST', 'the secondary ended the connection')
    const ms = this.#ports.clock.now() - this.#began
    switch (message.name) {
      case 'checkpoint-ready':
        this.#ports.observe?.({ kind: 'ready', ms })
        return message.name
      case 'checkpoint-reply':
        this.#repliedMs = ms
        return message.name
      case 'vmstate-received':
        this.#receivedMs = ms
        return message.name
      case 'vmstate-loaded':
        return message.name
      default:
        throw new QemuError('QEMU_OUT_OF_STEP', `the secondary said ${message.name}, which a primary says`, { offset: message.offset, hint: 'use QEMU 3.1 or later on the other side' })
    }
  }

  #count(): undefined {
    const { clock, observe } = this.#ports
    this.#done++
    observe?.({ kind: 'checkpoint', checkpoint: this.#done, repliedMs: this.#repliedMs, receivedMs: this.#receivedMs, loadedMs: clock.now() - this.#began })
  }

  #say(name: ColoMessageName, size?: number): Promise<void> {
    return this.#sink.write([encodeColoMessage(name, size)])
  }

  readonly #sink: ByteSink = {
    write: async (parts) => {
      const { channel, clock, signal } = this.#ports
      if (signal.aborted) throw signal.reason
      await inTime(channel.write(parts), { clock, signal, ms: this.#answerMs, otherwise: 'the secondary took nothing' })
    },
  }
}

const isCut = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'FMT_TRUNCATED'
