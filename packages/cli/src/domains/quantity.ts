import { usageError } from '../cli-error.ts'

const times: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000 }
const rates: Readonly<Record<string, number>> = { 'B/s': 1, 'KiB/s': 2 ** 10, 'MiB/s': 2 ** 20, 'GiB/s': 2 ** 30, 'kbit/s': 125, 'Mbit/s': 125_000, 'Gbit/s': 125_000_000 }

/** Milliseconds of a time such as `200ms`; 0 needs no unit. @throws CliError CLI_USAGE */
export const millisecondsOf = (text: string, option: string): number => quantity(text, option, times, 'time')

/** Bytes a second of a rate such as `1Gbit/s`; 0 needs no unit. @throws CliError CLI_USAGE */
export const bytesPerSecondOf = (text: string, option: string): number => quantity(text, option, rates, 'rate')

function quantity(text: string, option: string, units: Readonly<Record<string, number>>, what: string): number {
  const [, digits, unit = ''] = /^(\d{1,12}(?:\.\d{1,6})?)\s?([A-Za-z/]*)$/.exec(text) ?? []
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined
  if (digits !== undefined && (factor !== undefined || Number(digits) === 0)) return Math.round(Number(digits) * (factor ?? 1))
  throw usageError(`${option}: '${text}' is no ${what}`, `give a number with ${Object.keys(units).join(', ')}`)
}
