import { ReplError, type Capability, type GuestKind, type OptionSpec, type OptionValues } from '@xen-replication/plugin-api'

/** Shortest and longest time between checkpoints, in milliseconds. */
const INTERVAL_MS = { least: 1, most: 3_600_000 } as const

export const coloOptions: readonly OptionSpec[] = [
  { name: 'interval', short: 'i', unit: 'ms', fallback: 5000, ...INTERVAL_MS, summary: 'longest time from one checkpoint to the next while the two guests send the same', source: 'libxl_colo_save.c: the proxy is waited for 5 s' },
  { name: 'proxy', short: 'p', unit: 'text', fallback: '', summary: 'let the QEMU whose colo-compare listens there (URL) compare what the guests send; xr does so itself otherwise', source: 'xl remus -p' },
  { name: 'no-compare', unit: 'flag', fallback: false, summary: 'compare nothing: hold back network output until the next checkpoint, as Remus does', source: 'QEMU without colo-compare' },
  { name: 'no-netbuf', short: 'n', unit: 'flag', fallback: false, summary: 'with --no-compare: do not hold back network output; needs --unsafe', source: 'xl remus -n' },
  { name: 'no-diskbuf', short: 'd', unit: 'flag', fallback: false, summary: 'do not replicate or hold back disk writes; needs --unsafe', source: 'xl remus -d' },
  { name: 'unsafe', short: 'F', unit: 'flag', fallback: false, summary: 'allow what can lose or show what no backup has', source: 'xl remus -F' },
]

/** Who compares what the two guests send; `nobody`: output waits for checkpoints. */
export function comparedBy(options: OptionValues): 'us' | 'a-qemu' | 'nobody' {
  if (options['no-compare'] === true) return 'nobody'
  return options['proxy'] === '' ? 'us' : 'a-qemu'
}

/** @throws ReplError REPL_OPTION for what would be lost or contradicts itself */
function requireSafe(options: OptionValues): void {
  if (options['no-compare'] === true && options['proxy'] !== '') throw new ReplError('REPL_OPTION', "'proxy' and 'no-compare' do not go together", { hint: 'leave one of them out' })
  if (options['no-netbuf'] === true && options['no-compare'] !== true) throw new ReplError('REPL_OPTION', "'no-netbuf' is for output that nobody compares", { hint: 'add --no-compare' })
  const risky = ['no-netbuf', 'no-diskbuf'].find((name) => options[name] === true)
  if (risky === undefined || options['unsafe'] === true) return
  throw new ReplError('REPL_OPTION', `'${risky}' can lose or show what no backup has`, { hint: 'add -F (--unsafe) if that is what you want' })
}

/**
 * What the host of the primary has to be able to do.
 *
 * @throws as `requireSafe`
 */
export function coloNeeds({ kind, options }: { readonly kind: GuestKind; readonly options: OptionValues }): readonly Capability[] {
  requireSafe(options)
  return [
    'fast-resume',
    ...(kind === 'pv' ? (['lock-step-pv', 'log-dirty-pv'] as const) : (['lock-step', 'log-dirty-hvm'] as const)),
    ...(kind === 'hvm' ? ['device-model' as const] : []),
    ...networkNeeds(options),
    ...(options['no-diskbuf'] === true ? [] : ['disk-epochs' as const]),
  ]
}

function networkNeeds(options: OptionValues): readonly Capability[] {
  const by = comparedBy(options)
  if (by === 'a-qemu' || options['no-netbuf'] === true) return []
  return [by === 'us' ? 'packet-taps' : 'network-buffer']
}
