import type { Argument, Option, Verb } from '../commands/command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { flagsOf, optionsOf, takesValue, verbPlace } from '../options.ts'
import type { Output } from '../output/output.ts'
import { verbs } from '../verbs.ts'

/** One word the shell may offer. */
interface Completion {
  readonly word: string
  readonly what: string
}

/** What the shell may offer; `files`: the names of files as well. */
interface Completions {
  readonly words: readonly Completion[]
  readonly files: boolean
}

/** The answer's last line. */
const WITH_FILES = ':0'
const WITHOUT_FILES = ':4'
const NOTHING: Completions = { words: [], files: false }

/**
 * Answers a shell: a line a word (the word, a tab, what it does), then whether the names of files fit as well.
 *
 * @param words of the command line behind `xr`, the last one being the unfinished word.
 */
export async function writeCompletions(out: Output, words: readonly string[]): Promise<ExitCode> {
  const { words: offers, files } = await completionsFor(words)
  const lines = offers.map(({ word, what }) => `${word}\t${what}`)
  await out.write(`${[...lines, files ? WITH_FILES : WITHOUT_FILES].join('\n')}\n`)
  return exitCodes.done
}

/** What may stand in the place of the last of these words. */
async function completionsFor(words: readonly string[]): Promise<Completions> {
  const { before, last, front } = unfinished(words)
  const place = verbPlace(before)
  const found = verbs.find(({ name }) => name === before[place])
  if (found === undefined && place !== -1) return NOTHING
  const verb = found && (await found.load()).verb
  const offers = offersFor(verb, before.slice(place + 1), last)
  const fitting = offers.words.filter(({ word }) => word.startsWith(last))
  return { words: fitting.map(({ word, what }) => ({ word: front + word, what })), files: offers.files }
}

interface Unfinished {
  readonly before: readonly string[]
  readonly last: string
  /** What stands in front of `last` in the same word of the shell. */
  readonly front: string
}

/** Takes `--by=xen` apart; bash has done that already and gives `=` as a word of its own. */
function unfinished(words: readonly string[]): Unfinished {
  const last = words.at(-1) ?? ''
  const before = words.slice(0, -1).filter((word) => word !== '=')
  const [, flag, value] = /^(--[^=]+)=(.*)$/s.exec(last) ?? []
  if (flag !== undefined && value !== undefined) return { before: [...before, flag], last: value, front: `${flag}=` }
  return { before, last: last === '=' ? '' : last, front: '' }
}

function offersFor(verb: Verb | undefined, before: readonly string[], last: string): Completions {
  const options = optionsOf(verb)
  const awaited = options.find((option) => takesValue(option) && flagsOf(option).includes(before.at(-1) ?? ''))
  if (awaited !== undefined) return choicesOf(awaited)
  if (last.startsWith('-')) return { words: options.flatMap((option) => flagOffers(option)), files: false }
  if (verb === undefined) return { words: verbs.map(({ name, summary }) => ({ word: name, what: summary })), files: false }
  const argument = argumentAt(verb, operandsIn(before, options))
  return argument === undefined ? NOTHING : choicesOf(argument)
}

/** Operands among the words behind the verb: neither options nor their values. */
function operandsIn(words: readonly string[], options: readonly Option[]): number {
  const valued = new Set(options.filter(takesValue).flatMap((option) => flagsOf(option)))
  return words.filter((word, i) => !word.startsWith('-') && !valued.has(words[i - 1] ?? '')).length
}

function argumentAt({ args }: Verb, place: number): Argument | undefined {
  const last = args.at(-1)
  return args[place] ?? (last?.many === true ? last : undefined)
}

function choicesOf({ name, choices, what }: { readonly name?: string; readonly choices?: readonly string[]; readonly what: string }): Completions {
  if (name === 'VERB') return { words: verbs.map((verb) => ({ word: verb.name, what: verb.summary })), files: false }
  return { words: (choices ?? []).map((word) => ({ word, what })), files: choices === undefined }
}

function flagOffers(option: Option): readonly Completion[] {
  return flagsOf(option).map((word) => ({ word, what: option.what }))
}
