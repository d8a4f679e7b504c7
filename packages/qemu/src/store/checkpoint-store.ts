import type { RamBlock } from '@xen-replication/format'

/** What does not change of a guest while it is backed up. */
export interface MachineFacts {
  /** Type of the machine, as `pc-i440fx-7.2`. */
  readonly machine: string
  readonly blocks: readonly RamBlock[]
  /** Id of the section that holds its memory. */
  readonly ramId: number
}

/** Keeps the last complete checkpoint of a guest, whatever happens while the next one comes in. */
export interface CheckpointStore {
  /** A new guest comes in; what was kept of another stays until the first state of this one is complete. @throws QemuError QEMU_TOO_LARGE */
  begin(facts: MachineFacts): Promise<void>
  /**
   * A page of the checkpoint that is coming in; may come several times, the last one counts.
   *
   * @param offset in bytes within the block. @param bytes taken over before this returns; undefined for zeros
   * @throws QemuError QEMU_STORE_IO
   */
  page(block: RamBlock, offset: number, bytes: Uint8Array | undefined): void
  /**
   * Makes the checkpoint that came in safe: when this resolves it outlives this process and the power.
   *
   * @param devices all devices, as they come in a COLO checkpoint
   * @returns its number, from 0
   */
  commit(devices: Uint8Array): Promise<number>
  /** Forgets what came in since the last commit. */
  drop(): Promise<void>
  close(): Promise<void>
}
