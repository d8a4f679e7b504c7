import type { PairPlan } from '@xen-replication/qemu'
import { usageError } from '../cli-error.ts'
import { listOption, switchOption, textOption, type Option, type OptionValues } from '../commands/command.ts'
import { millisecondsOf } from '../domains/quantity.ts'
import { placeOf, qemuUri } from './place.ts'

/** What the pair is made of. */
export const pairOptions: readonly Option[] = [
  { flags: '--primary <URL>', what: 'QMP monitor of the QEMU whose guest runs: unix:PATH or tcp://HOST:PORT' },
  { flags: '--secondary <URL>', what: 'QMP monitor of the QEMU that waits with -incoming' },
  { flags: '--link <URL>', what: 'where that one waits, as the primary reaches it' },
  { flags: '-i, --interval <TIME>', what: 'longest time between two checkpoints', standard: '200ms, or 20s where a network is compared' },
  { flags: '--netdev <ID>', what: 'compare what both guests send through this network device, and let out what is equal' },
  { flags: '--mirror <URL>', what: 'with --netdev: where the primary listens for the secondary, for what comes in' },
  { flags: '--compare <URL>', what: 'with --netdev: the same, for what the secondary sends' },
  { flags: '--compare-timeout <TIME>', what: 'with --netdev: how long a packet waits for its counterpart', standard: '3s' },
  { flags: '--vnet-header', what: 'with --netdev: its packets have a virtio-net header, as with vhost and tap' },
  { flags: '--disk <QUORUM=NODE>', what: 'replicate this quorum of the primary to this node of the secondary; may be given several times', many: true },
  { flags: '--nbd <URL>', what: 'with --disk: where the secondary exports disks' },
]

/** @throws CliError CLI_USAGE */
export function pairPlanOf(options: OptionValues): PairPlan {
  const networks = networksOf(options)
  const disks = listOption(options, 'disk').map((text) => {
    const [, quorum, parent] = /^([^=]+)=([^=]+)$/.exec(text) ?? []
    if (quorum === undefined || parent === undefined) throw usageError(`--disk: '${text}' is not QUORUM=NODE`, 'for example --disk colo-disk0=parent0')
    return { quorum, parent }
  })
  const nbd = textOption(options, 'nbd')
  if ((nbd === undefined) !== (disks.length === 0)) throw usageError('--disk and --nbd go together', 'for example --disk colo-disk0=parent0 --nbd tcp://10.0.0.2:9999')
  const interval = textOption(options, 'interval') ?? (networks.length === 0 ? '200ms' : '20s')
  return {
    uri: qemuUri(placeOf(needed(options, 'link'), '--link')),
    intervalMs: millisecondsOf(interval, '--interval'),
    networks,
    disks,
    ...(nbd === undefined ? {} : { nbd: placeOf(nbd, '--nbd') }),
  }
}

function networksOf(options: OptionValues): PairPlan['networks'] {
  const [netdev, mirror, compare, timeout] = [textOption(options, 'netdev'), textOption(options, 'mirror'), textOption(options, 'compare'), textOption(options, 'compareTimeout')]
  if (netdev === undefined && mirror === undefined && compare === undefined) return []
  if (netdev === undefined || mirror === undefined || compare === undefined) throw usageError('--netdev, --mirror and --compare go together', 'for example --netdev hn0 --mirror tcp://10.0.0.1:9003 --compare tcp://10.0.0.1:9004')
  const compareMs = timeout === undefined ? {} : { compareMs: millisecondsOf(timeout, '--compare-timeout') }
  return [{ netdev, mirror: placeOf(mirror, '--mirror'), compare: placeOf(compare, '--compare'), vnetHeader: switchOption(options, 'vnetHeader'), ...compareMs }]
}

/** The value of an option that has to be there. @throws CliError CLI_USAGE */
export function needed(options: OptionValues, name: string): string {
  const value = textOption(options, name)
  if (value !== undefined) return value
  throw usageError('--primary, --secondary and --link are needed', 'for example --primary unix:/run/a.qmp --secondary unix:/run/b.qmp --link unix:/run/colo.sock')
}
