import { HeldDevice } from './held-device.ts'

/** A write of a simulated guest: a block, and the number of the write, which is what the block holds then. */
export interface DiskWrite {
  readonly block: number
  readonly number: number
}

/** A disk whose writes can be held until a checkpoint is safe. */
export class Disk extends HeldDevice<DiskWrite> {
  readonly kind = 'disk'
  /** What is on the disk for good: number of the last write, by block. */
  readonly blocks: ReadonlyMap<number, number>

  constructor(name: string) {
    const blocks = new Map<number, number>()
    super(name, ({ block, number }) => blocks.set(block, number))
    this.blocks = blocks
  }
}
