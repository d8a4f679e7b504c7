import { ReplError, type OptionSpec, type OptionValues } from '@xen-replication/plugin-api'

/** Shortest and longest interval, in milliseconds. */
const INTERVAL_MS = { least: 1, most: 3_600_000 } as const

/** As `xl remus` has them. Source: tools/xl/xl_migrate.c, main_remus(); libxl_types.idl, domain_remus_info. */
export const remusOptions: readonly OptionSpec[] = [
  { name: 'interval', short: 'i', unit: 'ms', fallback: 200, ...INTERVAL_MS, summary: 'from the beginning of one checkpoint to that of the next', source: 'xl remus -i' },
  { name: 'adaptive', unit: 'flag', fallback: false, summary: 'let the interval follow the load; --interval is the longest then', source: 'xl has none' },
  { name: 'least-interval', unit: 'ms', fallback: 20, ...INTERVAL_MS, summary: 'with --adaptive: the shortest interval', source: 'a checkpoint takes a few milliseconds' },
  { name: 'blackhole', short: 'b', unit: 'flag', fallback: false, summary: 'send to nobody, to see what checkpoints cost; needs --unsafe', source: 'xl remus -b' },
  { name: 'no-compression', short: 'u', unit: 'flag', fallback: false, summary: 'do not compress', source: 'xl remus -u' },
  { name: 'no-netbuf', short: 'n', unit: 'flag', fallback: false, summary: 'do not hold back network output; needs --unsafe', source: 'xl remus -n' },
  { name: 'no-diskbuf', short: 'd', unit: 'flag', fallback: false, summary: 'do not hold back disk writes; needs --unsafe', source: 'xl remus -d' },
  { name: 'unsafe', short: 'F', unit: 'flag', fallback: false, summary: 'allow what can lose or show what no backup has', source: 'xl remus -F' },
]

/**
 * What xl refuses without `-F` is refused here.
 *
 * @throws ReplError REPL_OPTION
 */
export function requireSafe(options: OptionValues): void {
  const risky = ['blackhole', 'no-netbuf', 'no-diskbuf'].find((name) => options[name] === true)
  if (risky === undefined || options['unsafe'] === true) return
  throw new ReplError('REPL_OPTION', `'${risky}' can lose or show what no backup has`, { hint: 'add -F (--unsafe) if that is what you want' })
}
