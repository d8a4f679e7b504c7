import { encodeNoPages, writeQemuStream } from '@xen-replication/format'
import type { Backup } from '../store/open-backup.ts'
import type { ReplaySource } from './replay-source.ts'

/** The last checkpoint of a backup as a primary: it is the first stream, and then a checkpoint that takes the guest back to it. */
export function replayOfBackup({ state }: Backup): ReplaySource {
  return {
    machine: state.machine,
    checkpoints: 1,
    writeStream: (to) => writeQemuStream(state, to, { colo: true }),
    writeMemory: (_checkpoint, to) => to.write([encodeNoPages(state.ramId)]),
    devicesBytes: () => state.devices.length,
    writeDevices: (_checkpoint, to) => to.write([state.devices]),
  }
}
