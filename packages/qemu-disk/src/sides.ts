import type { CheckpointDevice, ReplicaDevice } from '@xen-replication/hypervisor'
import { QemuDiskError } from './qemu-disk-error.ts'
import type { QmpCommands, Step } from './qmp-commands.ts'
import { ReplicatedDisks } from './replicated-disks.ts'

/** Where the other QEMU serves its copies. */
export interface NbdAddress {
  readonly host: string
  readonly port: number
}

export interface DiskOptions {
  readonly qmp: QmpCommands
  /** On the primary: the quorum drives of the guest. On the secondary: the drives that hold the copies. Both name exports alike. */
  readonly disks: readonly string[]
  readonly nbd: NbdAddress
  /** Waits; with it the primary tries for two seconds to reach a secondary that is not ready yet. */
  readonly sleep?: (ms: number) => Promise<void>
}

/**
 * The side whose guest writes. Each disk is a quorum drive (`driver=quorum,read-pattern=fifo,vote-threshold=1`), whose second child becomes the
 * copy at the other side. Every write goes there at once, so the guest has to stand from `postsuspend` until the other side has the checkpoint.
 *
 * @throws QemuDiskError DISK_OPTION
 * @see xen tools/libs/light/libxl_colo_qdisk.c; qemu docs/block-replication.txt
 */
export function primaryDisks({ qmp, disks, nbd, sleep }: DiskOptions): CheckpointDevice {
  requireNames(disks)
  const server = { type: 'inet', host: nbd.host, port: String(requirePort(nbd.port)) }
  const steps = disks.flatMap((disk): readonly Step[] => {
    const node = `xr-copy-${disk}`
    return [
      {
        command: 'blockdev-add',
        args: { driver: 'replication', mode: 'primary', 'node-name': node, file: { driver: 'nbd', server, export: disk } },
        undo: { command: 'blockdev-del', args: { 'node-name': node } },
        early: true,
      },
      { command: 'x-blockdev-change', args: { parent: disk, node }, undo: { command: 'x-blockdev-change', args: { parent: disk, child: 'children.1' } } },
    ]
  })
  const enable = { command: 'xen-set-replication', args: { enable: true, primary: true } }
  return new ReplicatedDisks({ qmp, name: 'disks', standsUntil: 'stored', again: sleep, steps: [...steps, enable], stop: { command: 'xen-set-replication', args: { enable: false, primary: true } } })
}

/**
 * The side that keeps the copies. `teardown` makes of each copy what it was at the last checkpoint, with what the guest wrote here since; a copy
 * that is not to be used any more is thrown away by whoever made it. QEMU then has done with replication: another protection needs another QEMU.
 *
 * @throws QemuDiskError DISK_OPTION
 */
export function secondaryDisks({ qmp, disks, nbd }: DiskOptions): CheckpointDevice {
  requireNames(disks)
  const addr = { type: 'inet', data: { host: nbd.host, port: String(requirePort(nbd.port)) } }
  const steps: readonly Step[] = [
    { command: 'nbd-server-start', args: { addr }, undo: { command: 'nbd-server-stop' } },
    ...disks.map((disk) => ({ command: 'nbd-server-add', args: { device: disk, writable: true } })),
    { command: 'xen-set-replication', args: { enable: true, primary: false } },
  ]
  // without failover QEMU 7.2 refuses: it cancels its own job first and then misses it
  return new ReplicatedDisks({ qmp, name: 'disks', steps, stop: { command: 'xen-set-replication', args: { enable: false, primary: false, failover: true } } })
}

/**
 * The copies of a primary's disks for a pair whose backup acknowledges epochs: an epoch is stored when QEMU has made it a checkpoint, which it can only
 * while the guest at the primary stands; the other half sees to that.
 *
 * @throws QemuDiskError DISK_OPTION
 */
export function replicaDisks(options: DiskOptions): ReplicaDevice {
  const copies = secondaryDisks(options)
  return {
    name: copies.name,
    kind: 'disk',
    setup: () => copies.setup(),
    received: (epoch) => copies.postsuspend(epoch),
    store: (epoch) => copies.preresume(epoch),
    promote: () => copies.teardown('release'),
    teardown: () => copies.teardown('drop'),
  }
}

/** Names of nodes have 31 characters at most. Source: qemu block.c */
function requireNames(disks: readonly string[]): void {
  if (disks.length === 0) throw new QemuDiskError('DISK_OPTION', 'there is no disk to replicate', { hint: 'name the drives' })
  for (const disk of disks) {
    if (!/^[A-Za-z][A-Za-z0-9._-]{0,22}$/.test(disk)) throw new QemuDiskError('DISK_OPTION', `'${disk}' cannot be the name of a drive`, { hint: 'a letter, then at most 22 letters, digits, ".", "_" and "-"' })
  }
  if (new Set(disks).size !== disks.length) throw new QemuDiskError('DISK_OPTION', 'a drive is named twice', { hint: 'name each once' })
}

function requirePort(port: number): number {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port
  throw new QemuDiskError('DISK_OPTION', `${port} is no port`, { hint: 'give one from 1 to 65535' })
}
