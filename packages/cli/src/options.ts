import type { Command } from 'commander'
import { usageError } from './cli-error.ts'
import type { Option, OptionValues, Verb } from './commands/command.ts'

/** Options of every verb. They may stand before the verb or behind it. */
const everywhere: readonly Option[] = [
  { flags: '--json', what: 'write one JSON document to standard output, and nothing else' },
  { flags: '-q, --quiet', what: 'less on standard error: no progress' },
  { flags: '-v, --verbose', what: 'more on standard error' },
  { flags: '--debug', what: 'show where in the program an error came from' },
]
/** Options of the verbs that work with a host. */
const forHosts: readonly Option[] = [
  { flags: '--backend <NAME>', what: 'what runs the guests: xen, mock or one that a plugin brings', standard: 'xen in a control domain, else mock' },
  { flags: '--mock-host <DIR>', what: 'folder of the simulated host' },
  { flags: '--plugin <NAME>', what: 'load an npm package as plugin; may be given several times', many: true },
  { flags: '--config <FILE>', what: 'read settings from this file and no other' },
]
const lines: Option = { flags: '--jsonl', what: 'write one JSON object a line as things become known' }

/** What the options of every verb come to. */
export interface Manner {
  readonly json: boolean
  readonly jsonl: boolean
  readonly verbosity: number
  readonly debug: boolean
}

/** The options a verb understands: its own, and those of every verb whose flags it does not use itself. */
export function optionsOf(verb: Verb | undefined): readonly Option[] {
  const own = verb?.options ?? []
  const taken = new Set(own.flatMap((option) => flagsOf(option)))
  const general = [...everywhere, ...(verb?.lines === true ? [lines] : []), ...(verb === undefined || verb.host === true ? forHosts : [])]
  return [...own, ...general.filter((option) => !flagsOf(option).some((flag) => taken.has(flag)))]
}

/** `-q, --quiet` as `['-q', '--quiet']`. */
export function flagsOf({ flags }: Option): readonly string[] {
  return flags.split(/[ ,]+/).filter((part) => part.startsWith('-'))
}

/** An option that is followed by a value. */
export function takesValue({ flags }: Option): boolean {
  return flags.endsWith('>')
}

/** Puts options on a command of commander's. */
export function addOptions(command: Command, options: readonly Option[]): void {
  for (const option of options) {
    const added = command.createOption(option.flags, described(option))
    if (option.choices !== undefined) added.choices(option.choices)
    if (option.many === true) added.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value])
    command.addOption(added)
  }
}

const described = ({ what, standard }: Option): string => (standard === undefined ? what : `${what} (otherwise ${standard})`)

/**
 * @param values options of the verb and those given before it, together.
 * @throws CliError CLI_USAGE for those that exclude each other.
 */
export function mannerOf(values: OptionValues): Manner {
  const on = (name: string): boolean => values[name] === true
  if (on('json') && on('jsonl')) throw usageError('--json and --jsonl exclude each other', 'give one of them')
  return { json: on('json'), jsonl: on('jsonl'), verbosity: (on('verbose') ? 1 : 0) - (on('quiet') ? 1 : 0), debug: on('debug') }
}

/**
 * Where the verb stands among the words of a command line: the first that is neither an option nor the value of one.
 *
 * @returns -1 when there is none.
 */
export function verbPlace(words: readonly string[]): number {
  const valued = new Set(optionsOf(undefined).filter(takesValue).flatMap((option) => flagsOf(option)))
  return words.findIndex((word, i) => !word.startsWith('-') && !valued.has(words[i - 1] ?? ''))
}
