import { BackendError, type AbortSignalLike } from '@xen-replication/hypervisor'
import type { DiskWrite } from './disk.ts'

/** Writes of an epoch on their way to the journal. */
export interface JournalEntry {
  readonly disk: string
  readonly epoch: number
  readonly writes: readonly DiskWrite[]
}

export interface DiskJournalOptions {
  /** Takes its time, or fails, before an entry is whole. */
  readonly write?: ((entry: JournalEntry) => Promise<void>) | undefined
}

/** Where the disks of two simulated hosts meet: what a guest writes goes there epoch by epoch, and whoever takes over takes it from there. */
export class DiskJournal {
  readonly #write: (entry: JournalEntry) => Promise<void>
  readonly #logs = new Map<string, DiskLog>()

  constructor({ write = () => Promise.resolve() }: DiskJournalOptions = {}) {
    this.#write = write
  }

  /** The log of one disk in one pair of hosts; whoever asks first makes it. @param disk as both hosts know it */
  log(session: string, disk: string): DiskLog {
    const key = `${session} ${disk}`
    const log = this.#logs.get(key) ?? new DiskLog(disk, this.#write)
    this.#logs.set(key, log)
    return log
  }
}

/** What a disk was like when it began to be copied, and what was written to it since. */
export class DiskLog {
  readonly #disk: string
  readonly #write: (entry: JournalEntry) => Promise<void>
  readonly #entries = new Map<number, readonly DiskWrite[]>()
  #base: ReadonlyMap<number, number> = new Map()
  #failure: unknown
  #taken: { readonly epoch: number; readonly token: bigint } | undefined
  #waiting: (() => void)[] = []

  constructor(disk: string, write: (entry: JournalEntry) => Promise<void>) {
    this.#disk = disk
    this.#write = write
  }

  /** What was on the disk before the first epoch. */
  begin(blocks: ReadonlyMap<number, number>): void {
    this.#base = new Map(blocks)
  }

  /** Begins to write down an epoch, without waiting for it. @throws BackendError BACKEND_STATE when the disk was taken over, or an earlier entry failed */
  put(epoch: number, writes: readonly DiskWrite[]): void {
    if (this.#taken !== undefined) throw new BackendError('BACKEND_STATE', `the disk ${this.#disk} was taken over under token ${this.#taken.token}`, { hint: 'the guest runs on the other host' })
    if (this.#failure !== undefined) throw new BackendError('BACKEND_STATE', `an epoch of the disk ${this.#disk} could not be written down`, { cause: this.#failure })
    this.#write({ disk: this.#disk, epoch, writes }).then(() => this.#entries.set(epoch, writes), (error: unknown) => (this.#failure = error)).finally(() => this.#wake())
  }

  /** Resolves once the epoch is written down. @throws the reason of `signal`; BackendError BACKEND_STATE */
  async whole(epoch: number, signal: AbortSignalLike): Promise<void> {
    const wake = (): void => this.#wake()
    signal.addEventListener('abort', wake, { once: true })
    try {
      while (!this.#entries.has(epoch)) {
        if (signal.aborted) throw signal.reason
        if (this.#failure !== undefined) throw new BackendError('BACKEND_STATE', `epoch ${epoch} of the disk ${this.#disk} could not be written down`, { cause: this.#failure })
        await new Promise<void>((resolve) => this.#waiting.push(resolve))
      }
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }

  /** Takes the disk over as of an epoch: nothing is written down any more. @throws BackendError BACKEND_STATE when an epoch is missing, or somebody has taken it under a later token */
  take(epoch: number, token: bigint): ReadonlyMap<number, number> {
    if (this.#taken !== undefined && this.#taken.token > token) throw new BackendError('BACKEND_STATE', `the disk ${this.#disk} was taken over under token ${this.#taken.token}, which is later than ${token}`)
    const blocks = new Map(this.#base)
    for (let one = 0; one <= epoch; one += 1) {
      const writes = this.#entries.get(one)
      if (writes === undefined) throw new BackendError('BACKEND_STATE', `epoch ${one} of the disk ${this.#disk} is not here`)
      for (const { block, number } of writes) blocks.set(block, number)
    }
    this.#taken = { epoch, token }
    return blocks
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
