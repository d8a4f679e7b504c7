import type { ByteSink } from '@xen-replication/format'
import { PAGE_SIZE, type AbortSignalLike, type DomainSummary, type GuestForSave, type HypervisorBackend } from '@xen-replication/hypervisor'
import type { GuestFate } from '../observe/tool-events.ts'
import { encodeXlStart } from '../xl/xl-start.ts'
import { letGoOn } from './let-go-on.ts'
import type { Operation } from './operation.ts'
import { writeGuest, type WriteGuestOptions } from './write-guest.ts'

export interface OutgoingOptions extends WriteGuestOptions {
  readonly domain: DomainSummary
  /** libxl JSON. */
  readonly config: string
  /** Called when the guest is about to be handed over. */
  readonly onHandOver?: (() => void) | undefined
}

const AWAY = '--migratedaway'

/** A guest that is written as an `xl` stream and then goes on here, or goes away. */
export class OutgoingGuest {
  readonly #backend: HypervisorBackend
  readonly #guest: GuestForSave
  readonly #operation: Operation
  readonly #options: OutgoingOptions
  #stoodAt: number | undefined
  #endedAt: number | undefined
  #bytes = 0
  #fate: GuestFate = 'runs'

  constructor(backend: HypervisorBackend, guest: GuestForSave, operation: Operation, options: OutgoingOptions) {
    this.#backend = backend
    this.#guest = guest
    this.#operation = operation
    this.#options = options
  }

  /** How it stands here. */
  get fate(): GuestFate {
    return this.#fate
  }

  /** Bytes of its stream, at least: its memory. */
  get leastBytes(): number {
    return this.#options.domain.pages * PAGE_SIZE
  }

  /** Bytes that were written. */
  get bytes(): number {
    return this.#bytes
  }

  /** How long it stood until it went on, here or elsewhere, in milliseconds; until now, where it still stands. */
  get stoodMs(): number {
    return this.#stoodAt === undefined ? 0 : (this.#endedAt ?? this.#operation.now()) - this.#stoodAt
  }

  async save(sink: ByteSink, signal: AbortSignalLike): Promise<void> {
    const { config, domain } = this.#options
    const { emit, now } = this.#operation
    emit('guest.announced', { guest: domain.name, kind: domain.kind, memoryBytes: domain.pages * PAGE_SIZE })
    const counted: ByteSink = {
      write: async (parts) => {
        await sink.write(parts)
        for (const { length } of parts) this.#bytes += length
      },
    }
    await counted.write(encodeXlStart(config))
    this.#fate = 'suspended' // as far as anybody knows, until it is let go on
    const { stoodAt } = await writeGuest(this.#guest, counted, { emit, now, signal }, this.#options)
    this.#stoodAt = stoodAt
  }

  /** Lets it go on where it was. Never throws: `fate` tells what came of it. */
  async resume(): Promise<void> {
    this.#endedAt ??= this.#operation.now()
    this.#fate = await letGoOn(this.#guest)
  }

  async destroy(): Promise<void> {
    this.#endedAt ??= this.#operation.now()
    await this.#guest.lifecycle.destroy()
    this.#fate = 'gone'
  }

  async rename(to: 'away' | 'back'): Promise<void> {
    const { domId, name } = this.#options.domain
    if (to === 'away') this.#options.onHandOver?.()
    await this.#backend.rename(domId, to === 'away' ? name + AWAY : name)
  }

  /** Says how it stands, to whom it may concern. */
  tell(): void {
    this.#operation.emit('guest.fate', { guest: this.#options.domain.name, side: 'source', fate: this.#fate })
  }
}
