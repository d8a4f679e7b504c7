import type { DiskPlan, NetworkPlan, PairPlan, SocketPlace } from './plan.ts'

/** A command, and what takes its effect away again. */
export interface Step {
  readonly at: 'primary' | 'secondary'
  readonly command: string
  readonly args: Readonly<Record<string, unknown>>
  readonly undo?: { readonly command: string; readonly args: Readonly<Record<string, unknown>> }
  /** Stays where one side goes on alone. */
  readonly stays?: true
}

type Args = Readonly<Record<string, unknown>>

/** What is done at both QEMUs before the primary migrates, in order. Source: QEMU, docs/COLO-FT.txt and colo-proxy.txt; wiring as there. */
export function stepsOf({ networks, disks, nbd }: PairPlan, session: string): readonly Step[] {
  const capabilities = { capabilities: [{ capability: 'x-colo', state: true }, { capability: 'events', state: true }] }
  const off = { capabilities: [{ capability: 'x-colo', state: false }] }
  const set = (at: Step['at']): Step => ({ at, command: 'migrate-set-capabilities', args: capabilities, undo: { command: 'migrate-set-capabilities', args: off } })
  return [...diskSteps(disks, nbd), ...networks.flatMap((network, i) => networkSteps(network, `xr-${i}`, session)), set('secondary'), set('primary')]
}

function diskSteps(disks: readonly DiskPlan[], nbd: SocketPlace | undefined): readonly Step[] {
  if (nbd === undefined || disks.length === 0) return []
  const start: Step = { at: 'secondary', command: 'nbd-server-start', args: { addr: addressOf(nbd) }, undo: { command: 'nbd-server-stop', args: {} } }
  const exports = disks.map(({ parent }): Step => ({ at: 'secondary', command: 'nbd-server-add', args: { device: parent, writable: true } }))
  return [start, ...exports, ...disks.flatMap((disk, i) => primaryDisk(disk, nbd, `xr-replication${i}`))]
}

function primaryDisk({ quorum, parent }: DiskPlan, nbd: SocketPlace, node: string): readonly Step[] {
  const { type, data } = addressOf(nbd)
  const file = { driver: 'nbd', server: { type, ...data }, export: parent }
  return [
    { at: 'primary', command: 'blockdev-add', args: { driver: 'replication', mode: 'primary', 'node-name': node, file }, undo: { command: 'blockdev-del', args: { 'node-name': node } } },
    { at: 'primary', command: 'x-blockdev-change', args: { parent: quorum, node }, undo: { command: 'x-blockdev-change', args: { parent: quorum, child: 'children.1' } } },
  ]
}

/**
 * Packets to the primary's guest go to the secondary's, too. What both send is compared at the primary; only what is equal, or the primary's at a
 * checkpoint, goes out. Source of the wiring: QEMU, docs/COLO-FT.txt. Two things are not as there:
 *
 * - The secondary has a gate (`f0`). A redirector lets packets pass as soon as its socket is gone, so a secondary that only lost its link would be on
 *   the network before anybody granted it. The gate sends them into a buffer that nobody reads, until it goes on alone. What goes out passes
 *   the filters in the opposite order of their making: the gate is the last.
 * - The primary's packets turn to the comparison in the last step, and away from it in the first: else some come to nobody.
 */
function networkSteps({ netdev, mirror, compare, vnetHeader, compareMs }: NetworkPlan, id: string, session: string): readonly Step[] {
  const vnet = vnetHeader ? { vnet_hdr_support: true } : {}
  const inside = (name: string): Args => ({ type: 'unix', data: { path: `xr-colo-${session}-${id}-${name}`, abstract: true } })
  const [p, s] = ['primary', 'secondary'] as const
  return [
    socket(p, `${id}-mirror`, addressOf(mirror), 'server'),
    socket(p, `${id}-compare1`, addressOf(compare), 'server'),
    socket(p, `${id}-compare0`, inside('compare0'), 'server'),
    socket(p, `${id}-compare0-in`, inside('compare0'), 'client'),
    socket(p, `${id}-out`, inside('out'), 'server'),
    socket(p, `${id}-out-in`, inside('out'), 'client'),
    socket(s, `${id}-red0`, addressOf(mirror), 'client'),
    socket(s, `${id}-red1`, addressOf(compare), 'client'),
    chardev(s, `${id}-nobody`, { type: 'ringbuf', data: { size: NOBODYS_BYTES } }),
    object(s, 'filter-redirector', `${id}-f0`, { netdev, queue: 'rx', outdev: `${id}-nobody`, ...vnet }),
    object(s, 'filter-redirector', `${id}-f1`, { netdev, queue: 'tx', indev: `${id}-red0`, ...vnet }),
    object(s, 'filter-redirector', `${id}-f2`, { netdev, queue: 'rx', outdev: `${id}-red1`, ...vnet }),
    // connections that were made since the last checkpoint need it for as long as they last
    { ...object(s, 'filter-rewriter', `${id}-rewriter`, { netdev, queue: 'all', ...vnet }), stays: true },
    object(p, 'filter-mirror', `${id}-m0`, { netdev, queue: 'tx', outdev: `${id}-mirror`, ...vnet }),
    object(p, 'filter-redirector', `${id}-redire0`, { netdev, queue: 'rx', indev: `${id}-out`, ...vnet }),
    object(p, 'iothread', `${id}-thread`, {}),
    object(p, 'colo-compare', `${id}-comp`, {
      primary_in: `${id}-compare0-in`, secondary_in: `${id}-compare1`, outdev: `${id}-out-in`, iothread: `${id}-thread`, ...(compareMs === undefined ? {} : { compare_timeout: compareMs }), ...vnet,
    }),
    object(p, 'filter-redirector', `${id}-redire1`, { netdev, queue: 'rx', outdev: `${id}-compare0`, ...vnet }),
  ]
}

/** Of the buffer behind a gate; the oldest bytes go when it is full. A power of two. */
const NOBODYS_BYTES = 4096

function socket(at: Step['at'], id: string, addr: Args, end: 'server' | 'client'): Step {
  return chardev(at, id, { type: 'socket', data: end === 'server' ? { addr, server: true, wait: false } : { addr, server: false } })
}

function chardev(at: Step['at'], id: string, backend: Args): Step {
  return { at, command: 'chardev-add', args: { id, backend }, undo: { command: 'chardev-remove', args: { id } } }
}

function object(at: Step['at'], type: string, id: string, args: Args): Step {
  return { at, command: 'object-add', args: { 'qom-type': type, id, ...args }, undo: { command: 'object-del', args: { id } } }
}

/** As QMP has the address of a socket; ports are text there. */
function addressOf(place: SocketPlace): { readonly type: string; readonly data: Args } {
  return 'path' in place ? { type: 'unix', data: { path: place.path } } : { type: 'inet', data: { host: place.host, port: String(place.port) } }
}
