import type { ByteSink } from '@xen-replication/format'

/** What a primary without a guest sends: a first stream, and checkpoints by number from 0. */
export interface ReplaySource {
  /** Type of the machine, as `pc-i440fx-7.2`; empty where it is not known. */
  readonly machine: string
  /** How many checkpoints there are. */
  readonly checkpoints: number
  /** The migration stream, with the command that makes its receiver a secondary. */
  writeStream(to: ByteSink): Promise<void>
  /** All that goes behind `vmstate-send`. */
  writeMemory(checkpoint: number, to: ByteSink): Promise<void>
  /** Length of the state of the devices, in bytes. */
  devicesBytes(checkpoint: number): number
  writeDevices(checkpoint: number, to: ByteSink): Promise<void>
}
