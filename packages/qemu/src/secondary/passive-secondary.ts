import { ByteReader, encodeColoMessage, encodeDevices, QemuReader, readColoMessage, type ColoMessageName, type QemuSection, type RamBlock } from '@xen-replication/format'
import { drive, LinkError, type AbortSignalLike, type Channel, type Clock } from '@xen-replication/plugin-api'
import { inTime } from '../link/in-time.ts'
import { watchedSource } from '../link/watched-source.ts'
import { QemuError } from '../qemu-error.ts'
import type { CheckpointStore } from '../store/checkpoint-store.ts'
import { secondaryTable, type SecondaryEffect, type SecondaryEvent, type SecondaryState } from './table.ts'

/** What happens, for whoever looks on. */
export type SecondaryNote =
  | { readonly kind: 'move'; readonly from: SecondaryState; readonly event: SecondaryEvent; readonly to: SecondaryState }
  /** The guest came in once. */
  | { readonly kind: 'ready'; readonly machine: string; readonly memoryBytes: number }
  /** A checkpoint is safe and was acknowledged. `pages` were sent, `devicesBytes` of state; it took `ms` from the request on. */
  | { readonly kind: 'checkpoint'; readonly epoch: number; readonly pages: number; readonly devicesBytes: number; readonly ms: number }

export interface PassiveSecondaryPorts {
  readonly channel: Channel
  readonly store: CheckpointStore
  readonly clock: Clock
  readonly signal: AbortSignalLike
  readonly observe?: (note: SecondaryNote) => void
  readonly times?: {
    /** Longest silence in the middle of something, in milliseconds; default 10,000. */
    readonly answerMs?: number
    /** Longest time between two checkpoints, in milliseconds; for ever unless it is said. */
    readonly idleMs?: number
  }
}

/** How it ended: the store has the checkpoint `epoch` then, none where it is undefined. */
export interface SecondaryEnd {
  readonly end: 'lost' | 'ended'
  readonly epoch: number | undefined
  /** Where the primary was lost: why. */
  readonly why: Error | undefined
}

const ANSWER_MS = 10_000
/** Source: QEMU, migration/savevm.h, QEMU_VM_SECTION_FOOTER. */
const FOOTER = 0x7e

/**
 * Is the secondary of a QEMU that replicates, without a guest: it keeps the last complete checkpoint. `vmstate-received` is said once that is
 * safe, so the primary may then let out what its guest sent before it.
 *
 * @throws FormatError, QemuError, ReplError for a primary that is out of step; the reason of `signal`; the store keeps the last checkpoint
 */
export async function runPassiveSecondary(ports: PassiveSecondaryPorts): Promise<SecondaryEnd> {
  const secondary = new PassiveSecondary(ports)
  try {
    await drive(secondaryTable, {
      start: 'starting',
      begin: 'begin',
      lost: 'lost',
      perform: (effect) => secondary.perform(effect),
      onMove: (from, event, to) => {
        secondary.state = to
        ports.observe?.({ kind: 'move', from, event, to })
      },
      signal: ports.signal,
    })
    return secondary.end
  } catch (error) {
    await ports.store.drop().catch(() => undefined) // the error that led here says more
    throw error
  }
}

class PassiveSecondary {
  readonly #ports: PassiveSecondaryPorts
  readonly #reader: ByteReader
  readonly #qemu: QemuReader
  readonly #answerMs: number
  state: SecondaryState = 'starting'
  #epoch: number | undefined
  #why: Error | undefined
  /** Waits for the next checkpoint, not for the rest of one. */
  #idle = false
  #askedAt = 0
  #size = 0
  #pages = 0
  #devices: Uint8Array = new Uint8Array(0)
  #blocks: readonly RamBlock[] = []

  constructor(ports: PassiveSecondaryPorts) {
    const { channel, clock, signal, times = {} } = ports
    this.#ports = ports
    this.#answerMs = times.answerMs ?? ANSWER_MS
    this.#reader = new ByteReader(watchedSource(channel, { clock, signal, peer: 'primary', patience: () => (this.#idle ? times.idleMs : this.#answerMs) }))
    this.#qemu = new QemuReader(this.#reader, { blocks: (blocks) => void (this.#blocks = blocks), page: (block, offset, bytes) => this.#page(block, offset, bytes) })
  }

  get end(): SecondaryEnd {
    return { end: this.#why === undefined ? 'ended' : 'lost', epoch: this.#epoch, why: this.#why }
  }

  async perform(effect: SecondaryEffect): Promise<SecondaryEvent | undefined> {
    this.#idle = effect === 'expect' && this.state === 'guarding'
    try {
      return await this.#effects[effect]()
    } catch (error) {
      throw this.#asLoss(error)
    }
  }

  readonly #effects: { readonly [effect in SecondaryEffect]: () => Promise<SecondaryEvent | undefined> } = {
    'read-stream': () => this.#readStream(),
    'read-memory': () => this.#readMemory(),
    'read-devices': () => this.#readDevices(),
    store: () => this.#store(),
    drop: async () => void (await this.#ports.store.drop()),
    expect: () => this.#expect(),
    'send:checkpoint-ready': () => this.#send('checkpoint-ready'),
    'send:checkpoint-reply': () => this.#send('checkpoint-reply'),
    'send:vmstate-received': () => this.#send('vmstate-received'),
    'send:vmstate-loaded': () => this.#send('vmstate-loaded'),
  }

  /** Everything of the guest for the first time. */
  async #readStream(): Promise<SecondaryEvent> {
    let machine = ''
    const devices: QemuSection[] = []
    for await (const item of this.#qemu.stream()) {
      if (item.kind === 'configuration') machine = item.machine
      if (item.kind !== 'section') continue
      if (item.section === 'start') await this.#ports.store.begin({ machine, blocks: this.#blocks, ramId: item.id })
      if (item.body !== undefined) devices.push(item)
    }
    if (!this.#qemu.colo) throw new QemuError('QEMU_NOT_COLO', 'the sender does not replicate')
    this.#devices = encodeDevices(devices)
    this.#ports.observe?.({ kind: 'ready', machine, memoryBytes: this.#blocks.reduce((sum, { length }) => sum + length, 0) })
    return 'loaded'
  }

  async #readMemory(): Promise<undefined> {
    this.#pages = 0
    for await (const item of this.#qemu.live()) {
      if (item.kind === 'section') this.#pages += (item.ram?.pages ?? 0) + (item.ram?.zeroPages ?? 0)
    }
  }

  async #readDevices(): Promise<undefined> {
    this.#devices = await this.#reader.copy(this.#size)
    if (!endsWithDevice(this.#devices)) throw new QemuError('QEMU_OUT_OF_STEP', 'the state of the devices does not end where it was said to', { offset: this.#reader.offset })
  }

  async #store(): Promise<undefined> {
    const { store, clock, observe } = this.#ports
    this.#epoch = await store.commit(this.#devices)
    if (this.#epoch > 0) observe?.({ kind: 'checkpoint', epoch: this.#epoch, pages: this.#pages, devicesBytes: this.#devices.length, ms: clock.now() - this.#askedAt })
  }

  async #expect(): Promise<SecondaryEvent> {
    const message = await readColoMessage(this.#reader)
    if (message === undefined) return 'ended'
    this.#size = message.size ?? 0
    if (message.name === 'checkpoint-request') this.#askedAt = this.#ports.clock.now()
    if (message.name === 'checkpoint-request' || message.name === 'vmstate-send' || message.name === 'vmstate-size') return message.name
    throw new QemuError('QEMU_OUT_OF_STEP', `the primary said ${message.name}, which a secondary says`, { offset: message.offset })
  }

  async #send(name: ColoMessageName): Promise<undefined> {
    const { channel, clock, signal } = this.#ports
    await inTime(channel.write([encodeColoMessage(name)]), { clock, signal, ms: this.#answerMs, otherwise: 'the primary took nothing' })
  }

  #page(block: RamBlock, offset: number, bytes: Uint8Array | undefined): void {
    this.#ports.store.page(block, offset, bytes)
  }

  /** A stream that ends within something was cut: the primary is gone. */
  #asLoss(error: unknown): unknown {
    const why = isCut(error) ? new LinkError('LINK_LOST', 'the primary is gone, in the middle of something', { cause: error }) : error
    if (why instanceof LinkError) this.#why = why
    return why
  }
}

/** The footer of a device (its mark, and an id that is small) and the end behind it: a state that was cut, or is of another length, has none there. */
function endsWithDevice(state: Uint8Array): boolean {
  const [mark, high, next] = state.subarray(-6)
  return state.length > 6 && mark === FOOTER && high === 0 && next === 0 && state.at(-1) === 0
}

const isCut = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'FMT_TRUNCATED'
