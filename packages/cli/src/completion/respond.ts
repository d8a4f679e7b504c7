import type { Argument, Option, Verb } from '../commands/command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { flagsOf, optionsOf, takesValue } from '../options.ts'
import type { Output } from '../output/output.ts'
import { verbs } from '../verbs.ts'

/** One word the shell may offer. */
export interface Completion {
  readonly word: string
  readonly what: string
}

/** What the shell may offer; `files`: the names of files as well. */
export interface Completions {
  readonly words: readonly Completion[]
  readonly files: boolean
}

/** Answers of the protocol that the scripts of @bomb.sh/tab speak: a line a word, then `:` and whether file names are to be left out. */
const WITH_FILES = ':0'
const WITHOUT_FILES = ':4'

/** Answers a shell. @param words of the command line behind `xr`, the last one being the unfinished word. */
export async function writeCompletions(out: Output, words: readonly string[]): Promise<ExitCode> {
  const { words: offers, files } = await completionsFor(words)
  const lines = offers.map(({ word, what }) => `${word}\t${what}`)
  await out.write(`${[...lines, files ? WITH_FILES : WITHOUT_FILES].join('\n')}\n`)
  return exitCodes.done
}

/** What may stand in the place of the last of these words. */
export async function completionsFor(words: readonly string[]): Promise<Completions> {
  const last = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const place = before.findIndex((word) => !word.startsWith('-'))
  const found = place === -1 ? undefined : verbs.find(({ name }) => name === before[place])
  const verb = found === undefined ? undefined : (await found.load()).verb
  if (verb === undefined && place !== -1) return { words: [], files: false }
  const { words: offers, files } = offersFor(verb, before.slice(place + 1), last)
  return { words: offers.filter(({ word }) => word.startsWith(last)), files }
}

function offersFor(verb: Verb | undefined, before: readonly string[], last: string): Completions {
  const options = optionsOf(verb)
  const awaited = options.find((option) => takesValue(option) && flagsOf(option).includes(before.at(-1) ?? ''))
  if (awaited !== undefined) return choicesOf(awaited)
  if (last.startsWith('-')) return { words: options.flatMap((option) => flagOffers(option)), files: false }
  if (verb === undefined) return { words: verbs.map(({ name, summary }) => ({ word: name, what: summary })), files: false }
  const argument = argumentAt(verb, operandsIn(before, options))
  return argument === undefined ? { words: [], files: false } : choicesOf(argument)
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

function choicesOf({ choices, what }: Pick<Argument, 'choices' | 'what'>): Completions {
  return { words: (choices ?? []).map((word) => ({ word, what })), files: choices === undefined }
}

function flagOffers(option: Option): readonly Completion[] {
  return flagsOf(option).map((word) => ({ word, what: option.what }))
}
