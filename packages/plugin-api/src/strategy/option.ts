import { ReplError } from './repl-error.ts'

/** An option of a strategy: `--interval 200ms` is `{ name: 'interval', unit: 'ms', … }`. */
export type OptionSpec = OptionHead &
  (
    | { readonly unit: 'ms' | 'bytes' | 'count'; readonly fallback: number; readonly least: number; readonly most: number }
    | { readonly unit: 'flag'; readonly fallback: boolean }
    | { readonly unit: 'text'; readonly fallback: string }
  )

interface OptionHead {
  readonly name: string
  /** One letter, when the option has a short form. */
  readonly short?: string
  /** One sentence for the help. */
  readonly summary: string
  /** Where the default comes from. */
  readonly source: string
}

/** Every option of a strategy by its name, parsed, defaults filled in. */
export type OptionValues = Readonly<Record<string, number | boolean | string>>

/**
 * Fills in defaults and looks at what was given.
 *
 * @param given values as parsed: numbers in the option's unit.
 * @throws ReplError REPL_OPTION
 */
export function optionValues(specs: readonly OptionSpec[], given: OptionValues): OptionValues {
  const unknown = Object.keys(given).find((name) => !specs.some((spec) => spec.name === name))
  if (unknown !== undefined) {
    throw new ReplError('REPL_OPTION', `there is no option '${unknown}'`, { hint: `known: ${specs.map(({ name }) => name).join(', ') || 'none'}` })
  }
  return Object.fromEntries(specs.map((spec) => [spec.name, checked(spec, Object.hasOwn(given, spec.name) ? given[spec.name] : spec.fallback)]))
}

function checked(spec: OptionSpec, value: number | boolean | string | undefined): number | boolean | string {
  if (value === undefined || typeof value !== typeof spec.fallback) {
    throw new ReplError('REPL_OPTION', `'${spec.name}' takes a ${typeof spec.fallback}`, { hint: spec.summary })
  }
  if (typeof value === 'number' && 'least' in spec && !(value >= spec.least && value <= spec.most)) {
    throw new ReplError('REPL_OPTION', `'${spec.name}' is ${value}`, { hint: `between ${spec.least} and ${spec.most} (${spec.unit})` })
  }
  return value
}
