import { HeldDevice } from './held-device.ts'
import type { DiskJournal, DiskLog } from './disk-journal.ts'

/** A write of a simulated guest: a block, and the number of the write, which is what the block holds then. */
export interface DiskWrite {
  readonly block: number
  readonly number: number
}

/** A disk whose writes can be held until a checkpoint is safe; with a journal they go there epoch by epoch. */
export class Disk extends HeldDevice<DiskWrite> {
  readonly kind = 'disk'
  /** Tells it from other disks, on both hosts alike. */
  readonly id: string
  /** What is on the disk for good: number of the last write, by block. */
  readonly blocks: ReadonlyMap<number, number>
  readonly #journal: DiskJournal | undefined
  readonly #blocks: Map<number, number>
  #log: DiskLog | undefined
  #journalled = 0

  constructor(name: string, id = name, journal?: DiskJournal) {
    const blocks = new Map<number, number>()
    super(name, ({ block, number }) => blocks.set(block, number))
    this.id = id
    this.blocks = this.#blocks = blocks
    this.#journal = journal
  }

  /** The disk becomes that of a guest that comes from elsewhere. */
  fill(blocks: ReadonlyMap<number, number>): void {
    this.#blocks.clear()
    for (const [block, number] of blocks) this.#blocks.set(block, number)
  }

  override async setup(session?: string): Promise<void> {
    await super.setup()
    this.#log = session === undefined ? undefined : this.#journal?.log(session, this.id)
    this.#log?.begin(this.blocks)
  }

  override async postsuspend(epoch: number): Promise<void> {
    const writes = this.held.filter(({ number }) => number > this.#journalled)
    this.#log?.put(epoch, writes)
    this.#journalled = writes.at(-1)?.number ?? this.#journalled
    await super.postsuspend(epoch)
  }
}
