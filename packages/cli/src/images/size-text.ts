import { usageError } from '../cli-error.ts'

const steps: Readonly<Record<string, number>> = { '': 1, B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40, PiB: 2 ** 50 }

/**
 * Bytes of a size such as `64MiB`; a bare number is bytes.
 *
 * @throws CliError CLI_USAGE
 */
export function sizeOf(text: string, option: string): number {
  const [, digits, unit = ''] = /^(\d{1,15}(?:\.\d{1,6})?)\s?([KMGTP]iB|B)?$/.exec(text) ?? []
  const size = digits === undefined ? NaN : Math.floor(Number(digits) * (steps[unit] as number))
  if (!Number.isSafeInteger(size)) throw usageError(`${option}: '${text}' is no size`, 'give bytes, or a number with KiB, MiB, GiB or TiB')
  return size
}
