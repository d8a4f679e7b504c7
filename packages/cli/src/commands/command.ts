import type { ExitCode } from '../exit-codes.ts'
import type { Output } from '../output/output.ts'
import type { Progress } from '../output/progress.ts'

/** What a verb is given to work with. It reaches for nothing else: no `process`, no clock of its own. */
export interface VerbContext {
  /** Results, and nothing else. */
  readonly stdout: Output
  /** Warnings and remarks. */
  readonly stderr: Output
  /** One JSON document is to be written to stdout, and no text (`writeDocument` in output/json.ts). */
  readonly json: boolean
  /** One JSON object a line is to be written to stdout as things happen. Only with verbs that declare `lines`. */
  readonly jsonl: boolean
  /** -1 with `-q`, 0, 1 with `-v`. */
  readonly verbosity: number
  readonly progress: Progress
  /** Aborted by SIGINT and SIGTERM. A long verb looks at it (`throwIfInterrupted`) or hands it on; sources of openImage() do so themselves. */
  readonly signal: AbortSignal
  /** Environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The current folder. */
  readonly cwd: string
  /** Milliseconds of a clock that does not go backwards. */
  now(): number
  /** Starts another `xr` that stands in for this process when it dies. Absent where there is no process of its own. */
  readonly startGuard?: ((options: readonly string[]) => void) | undefined
  /** Waits until the process that started this one has ended. */
  readonly starterEnded?: (() => Promise<void>) | undefined
}

/** A word on the command line. */
export interface Argument {
  /** As shown in the help, in capitals: `FILE`. */
  readonly name: string
  readonly what: string
  /** One or more of them; the last argument only. */
  readonly many?: true
  readonly optional?: true
  /** Words it may be; anything when left out. */
  readonly choices?: readonly string[]
}

/** A switch or a named value. */
export interface Option {
  /** As commander reads them: `--data`, `-l, --limit <N>`. */
  readonly flags: string
  readonly what: string
  readonly choices?: readonly string[]
  /** Shown in the help; the verb itself applies it. */
  readonly standard?: string
  /** May be given several times: the value is a list. */
  readonly many?: true
}

/** Values by option name in camelCase: true for a switch, text for a value, a list where `many`; undefined when not given. */
export type OptionValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>

/** One verb of `xr`: a file in this folder exports it as `verb`, and `verbs.ts` has a line for it. */
export interface Verb {
  readonly args: readonly Argument[]
  readonly options: readonly Option[]
  /** Paragraphs for `xr help VERB`. */
  readonly about: readonly string[]
  /** Command lines with what they do. */
  readonly examples: readonly (readonly [command: string, what: string])[]
  /** It can write `--jsonl`. */
  readonly lines?: true
  /** It works with a host and its guests: `--backend` and the like have a meaning. */
  readonly host?: true
  /**
   * @param args the words in order; those not given are missing at the end.
   * @throws any XrError: shown with its code, place and hint, exit status by `exitCodeOf`.
   */
  run(ctx: VerbContext, args: readonly string[], options: OptionValues): Promise<ExitCode>
}

/** A verb by name; its module is loaded when it is asked for. */
export interface VerbEntry {
  readonly name: string
  /** One line for the list of verbs. */
  readonly summary: string
  /** Not for users: no list shows it. */
  readonly hidden?: true
  load(): Promise<{ readonly verb: Verb }>
}

/** The value of an option that takes one. */
export function textOption(options: OptionValues, name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}

/** The values of an option that may be given several times. */
export function listOption(options: OptionValues, name: string): readonly string[] {
  const value = options[name]
  return Array.isArray(value) ? (value as readonly string[]) : []
}

/** Whether a switch was given. */
export function switchOption(options: OptionValues, name: string): boolean {
  return options[name] === true
}
