import type { DiskPlan, NetworkPlan, PairPlan, SocketPlace } from './plan.ts'

/** A command, and what takes its effect away again. */
export interface Step {
  readonly at: 'primary' | 'secondary'
  readonly command: string
  readonly args: Readonly<Record<string, unknown>>
  readonly undo?: { readonly command: string; readonly args: Readonly<Record<string, unknown>> }
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

/** Source of the wiring: colo-compare compares what both guests send; only what is equal, or the primary's at a checkpoint, goes out. */
function networkSteps({ netdev, mirror, compare, vnetHeader, compareMs }: NetworkPlan, id: string, session: string): readonly Step[] {
  const vnet = vnetHeader ? { vnet_hdr_support: true } : {}
  const inside = (name: string): Args => ({ type: 'unix', data: { path: `xr-colo-${session}-${id}-${name}`, abstract: true } })
  const [p, s] = ['primary', 'secondary'] as const
  return [
    chardev(p, `${id}-mirror`, addressOf(mirror), true),
    chardev(p, `${id}-compare1`, addressOf(compare), true),
    chardev(p, `${id}-compare0`, inside('compare0'), true),
    chardev(p, `${id}-compare0-in`, inside('compare0'), false),
    chardev(p, `${id}-out`, inside('out'), true),
    chardev(p, `${id}-out-in`, inside('out'), false),
    chardev(s, `${id}-red0`, addressOf(mirror), false),
    chardev(s, `${id}-red1`, addressOf(compare), false),
    object(s, 'filter-redirector', `${id}-f1`, { netdev, queue: 'tx', indev: `${id}-red0`, ...vnet }),
    object(s, 'filter-redirector', `${id}-f2`, { netdev, queue: 'rx', outdev: `${id}-red1`, ...vnet }),
    object(s, 'filter-rewriter', `${id}-rewriter`, { netdev, queue: 'all', ...vnet }),
    object(p, 'filter-mirror', `${id}-m0`, { netdev, queue: 'tx', outdev: `${id}-mirror`, ...vnet }),
    object(p, 'filter-redirector', `${id}-redire0`, { netdev, queue: 'rx', indev: `${id}-out`, ...vnet }),
    object(p, 'filter-redirector', `${id}-redire1`, { netdev, queue: 'rx', outdev: `${id}-compare0`, ...vnet }),
    object(p, 'iothread', `${id}-thread`, {}),
    object(p, 'colo-compare', `${id}-comp`, {
      primary_in: `${id}-compare0-in`, secondary_in: `${id}-compare1`, outdev: `${id}-out-in`, iothread: `${id}-thread`, ...(compareMs === undefined ? {} : { compare_timeout: compareMs }), ...vnet,
    }),
  ]
}

function chardev(at: Step['at'], id: string, addr: Args, server: boolean): Step {
  const data = server ? { addr, server, wait: false } : { addr, server }
  return { at, command: 'chardev-add', args: { id, backend: { type: 'socket', data } }, undo: { command: 'chardev-remove', args: { id } } }
}

function object(at: Step['at'], type: string, id: string, args: Args): Step {
  return { at, command: 'object-add', args: { 'qom-type': type, id, ...args }, undo: { command: 'object-del', args: { id } } }
}

/** As QMP has the address of a socket; ports are text there. */
function addressOf(place: SocketPlace): { readonly type: string; readonly data: Args } {
  return 'path' in place ? { type: 'unix', data: { path: place.path } } : { type: 'inet', data: { host: place.host, port: String(place.port) } }
}
