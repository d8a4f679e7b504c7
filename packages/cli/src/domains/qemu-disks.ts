import type { CheckpointDevice, ReplicaDevice } from '@xen-replication/hypervisor'
import { setTimeout as sleep } from 'node:timers/promises'
import { usageError } from '../cli-error.ts'
import type { Option } from '../commands/command.ts'

/** Disks that QEMU serves and copies; both sides are given theirs. */
export const qemuDisksOption: Option = {
  flags: '--qemu-disks <SPEC>',
  what: 'disks that QEMU copies: PATH of its QMP socket, HOST:PORT of the backup’s NBD server, names of the drives, with commas in between',
}

/** Where the disks of one guest are. */
interface Place {
  readonly qmp: string
  readonly nbd: { readonly host: string; readonly port: number }
  readonly disks: readonly string[]
}

/** The disks of one side; the one that is used depends on what the side does. */
export interface QemuDisks {
  readonly primary: CheckpointDevice
  readonly replica: ReplicaDevice
  close(): void
}

/** @throws CliError CLI_USAGE */
export function placeOf(text: string): Place {
  const [qmp = '', nbd = '', ...disks] = text.split(',')
  const [, host, port] = /^(\[[^\]]+\]|[^:[\]]+):(\d{1,5})$/.exec(nbd) ?? []
  if (qmp === '' || host === undefined || disks.length === 0) throw usageError(`--qemu-disks: '${text}' is not PATH,HOST:PORT,DRIVE`, 'for example --qemu-disks /run/demo.qmp,backup:10809,colo0')
  return { qmp, nbd: { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }, disks }
}

/**
 * Connects to the QEMU of one side.
 *
 * @param text as typed; undefined: there are none. @throws CliError CLI_USAGE; QmpError QMP_LOST, QMP_TIMEOUT; QemuDiskError DISK_OPTION
 */
export async function openQemuDisks(text: string | undefined): Promise<QemuDisks | undefined> {
  if (text === undefined) return undefined
  const place = placeOf(text)
  const [{ primaryDisks, replicaDisks }, { openQmp }, { systemClock }] = await Promise.all([import('@xen-replication/qemu-disk'), import('@xen-replication/qmp'), import('@xen-replication/toolstack')])
  const qmp = await openQmp(place.qmp, { clock: systemClock })
  try {
    const options = { ...place, qmp, sleep: async (ms: number) => sleep(ms) }
    return { primary: primaryDisks(options), replica: replicaDisks(options), close: () => qmp.close() }
  } catch (error) {
    qmp.close()
    throw error
  }
}
