import { resolve } from 'node:path'
import { switchOption, textOption, type Option, type OptionValues, type VerbContext } from '../commands/command.ts'

/** Of verbs that protect guests, or show how that is done. */
export const reportOption: Option = { flags: '--report <FILE>', what: 'write a page with plots of every epoch and the story of what happened; it is one HTML file that needs nothing else' }

/** Who may look on at verbs that take long. */
export const observerOptions: readonly Option[] = [
  reportOption,
  { flags: '--metrics <HOST:PORT>', what: 'serve numbers to Prometheus at http://HOST:PORT/metrics, to anybody who can reach it' },
  { flags: '--traces', what: 'give spans to the OpenTelemetry SDK that xr was started with' },
]

/** The file that `--report` names. */
export function reportPath(options: OptionValues, { cwd }: Pick<VerbContext, 'cwd'>): string | undefined {
  const path = textOption(options, 'report')
  return path === undefined ? undefined : resolve(cwd, path)
}

/** What observers are told by the command line; it counts more than settings of a file. */
export function observerSettings(options: OptionValues, ctx: Pick<VerbContext, 'cwd'>): Readonly<Record<string, string>> {
  const told = { report: reportPath(options, ctx), metrics: textOption(options, 'metrics'), traces: switchOption(options, 'traces') ? 'on' : undefined }
  return Object.fromEntries(Object.entries(told).filter((entry): entry is [string, string] => entry[1] !== undefined))
}
