import type { CommanderError } from 'commander'
import { isOutputClosed, usageError } from './cli-error.ts'
import type { VerbContext } from './commands/command.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { mannerOf, verbPlace } from './options.ts'
import { jsonText, writeDocument } from './output/json.ts'
import { outputTo, type Output, type OutputStream } from './output/output.ts'
import { createProgress } from './output/progress.ts'
import type { Invocation } from './program.ts'
import { errorDocument, exitCodeOf, renderError } from './render-error.ts'
import { ownVersion } from './version.ts'

/** All that the command gets from outside. */
export interface World {
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  /** Aborted when the command is to stop. */
  readonly signal: AbortSignal
  /** Environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The current folder. */
  readonly cwd: string
  /** Milliseconds of a clock that does not go backwards. */
  now(): number
  /** See `VerbContext`. */
  readonly startGuard?: VerbContext['startGuard']
  readonly starterEnded?: VerbContext['starterEnded']
}

interface Ends {
  readonly stdout: Output
  readonly stderr: Output
  readonly world: World
}

/**
 * Runs one command line from start to end. It never throws: errors are shown.
 *
 * @param argv the words behind `xr`.
 * @returns the exit status.
 */
export async function run(argv: readonly string[], world: World): Promise<ExitCode> {
  const ends: Ends = { stdout: outputTo(world.stdout), stderr: outputTo(world.stderr), world }
  const words = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length)
  try {
    return await dispatch(argv, ends)
  } catch (error) {
    return report(error, ends, { json: words.includes('--json'), debug: words.includes('--debug') })
  }
}

async function dispatch(argv: readonly string[], ends: Ends): Promise<ExitCode> {
  if (argv[0] === '--version' || argv[0] === '-V') return tellVersion(argv, ends)
  if (argv[0] === 'complete') {
    const { writeCompletions } = await import('./completion/respond.ts')
    return writeCompletions(ends.stdout, argv.slice(argv[1] === '--' ? 2 : 1))
  }
  return runVerb(argv, ends)
}

async function tellVersion(argv: readonly string[], { stdout }: Ends): Promise<ExitCode> {
  if (argv.includes('--json')) await writeDocument(stdout, 'xr.version/1', { version: ownVersion() })
  else await stdout.write(`${ownVersion()}\n`)
  return exitCodes.done
}

async function runVerb(argv: readonly string[], ends: Ends): Promise<ExitCode> {
  const { createProgram } = await import('./program.ts')
  const { guard, verbs } = await import('./verbs.ts')
  let help = ''
  let exit: ExitCode = exitCodes.done
  const program = createProgram([...verbs, guard], {
    help: (text) => {
      help += text
    },
    invoke: async (invocation) => {
      exit = await invoke(invocation, ends)
    },
  })
  try {
    await program.parseAsync(argv, { from: 'user' })
  } catch (error) {
    if (!isCommanderError(error)) throw error
    if (error.code !== 'commander.helpDisplayed' && error.code !== 'commander.help') throw wrongUsage(error, argv)
    const wanted = error.exitCode === 0
    await (wanted ? ends.stdout : ends.stderr).write(help)
    return wanted ? exitCodes.done : exitCodes.usage
  }
  return exit
}

async function invoke({ verb, args, options }: Invocation, { stdout, stderr, world }: Ends): Promise<ExitCode> {
  const { json, jsonl, verbosity } = mannerOf(options)
  const ctx: VerbContext = {
    stdout,
    stderr,
    json,
    jsonl,
    verbosity,
    signal: world.signal,
    env: world.env,
    cwd: world.cwd,
    now: () => world.now(),
    startGuard: world.startGuard,
    starterEnded: world.starterEnded,
    progress: createProgress(stderr, { now: () => world.now(), quiet: verbosity < 0 }),
  }
  return verb.run(ctx, args, options)
}

async function report(error: unknown, { stdout, stderr }: Ends, { json, debug }: { json: boolean; debug: boolean }): Promise<ExitCode> {
  const exit = exitCodeOf(error)
  if (isOutputClosed(error)) return exit
  stderr.writeNow(renderError(error, { debug }))
  if (json) await stdout.write(`${jsonText({ schema: 'xr.error/1', ...errorDocument(error) }, 2)}\n`).catch(() => undefined)
  return exit
}

function isCommanderError(error: unknown): error is CommanderError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('commander.')
}

/** Commander's message as an error of ours: its second line is a suggestion. */
function wrongUsage(error: CommanderError, argv: readonly string[]): Error {
  const [what = '', suggestion] = error.message.replace(/^error: /, '').split('\n')
  const verb = argv[verbPlace(argv)]
  const manual = error.code === 'commander.unknownCommand' || verb === undefined ? '`xr help` lists the verbs' : `\`xr help ${verb}\` tells how it is used`
  return usageError(what, suggestion === undefined ? manual : `${suggestion.replace(/[()]/g, '')} ${manual}`)
}
