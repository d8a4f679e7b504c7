import type { FaultName, Simulated, StrategyName } from '@xen-replication/simulate'
import { interrupted, usageError } from '../cli-error.ts'
import { reportPath } from '../domains/observer-options.ts'
import { simulatedText, violationsOf } from '../domains/simulated.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import { textOption, type OptionValues, type Verb, type VerbContext } from './command.ts'

const SEEDS = 1000
const MOST_JOBS = 256

export const verb: Verb = {
  args: [],
  options: [
    { flags: '--strategy <NAME>', what: 'what is simulated: remus or colo', standard: 'remus' },
    { flags: '--seeds <N>', what: 'how many runs', standard: `${SEEDS}, or 1 with --seed` },
    { flags: '--seed <S>', what: 'the seed of the first run; with -v its story is told', standard: '1' },
    { flags: '--fault <NAME>', what: 'put a mistake back in that replication has been made with; it has to be found' },
    { flags: '--jobs <N>', what: 'threads', standard: '1' },
    { flags: '--report <FILE>', what: 'write a page with the story of one run; with --seed' },
  ],
  about: [
    'Plays a primary, a backup, an arbiter and the network between them in virtual time: the tables, session and engines are those that work elsewhere, everything around them is simulated, and whatever can fail does at times: processes and hosts die or stand still, links are cut, blocked one way or both, or forgotten by one side, calls fail, clocks drift, operators change their minds. After every event it is checked that at most one guest is active, that no packet leaves before its epoch is safe, that a backup goes on from the last epoch, and that all of it ends.',
    'A run depends on its seed alone and can be played again: `xr simulate --seed S -v` tells what happened in it. Exit status: 0 when nothing was violated, 1 otherwise. With --fault that is the other way round for whoever wants to see that mistakes are found: release-before-ack, ipv4-only-buffer, no-arbiter, no-heartbeat, ack-before-store and resume-after-losing with remus; skip-suspended, half-checkpoint, release-unequal, ignore-replication-error and no-arbiter with colo.',
  ],
  examples: [
    ['xr simulate --strategy remus --seeds 20000 --jobs 2', 'twenty thousand runs'],
    ['xr simulate --fault release-before-ack', 'the mistake is found, with the seeds that show it'],
    ['xr simulate --seed 17 -v', 'the story of one run'],
  ],
  run: async (ctx, _args, options) => {
    const wanted = await wantedOf(options)
    const began = ctx.now()
    const page = reportPath(options, ctx)
    if (page !== undefined && wanted.seeds !== 1) throw usageError('--report tells of one run', 'name it with --seed')
    const told = wanted.seeds === 1 && (ctx.verbosity > 0 || page !== undefined) ? await storyOf(wanted) : undefined
    const story = ctx.verbosity > 0 ? told : undefined
    if (page !== undefined && told !== undefined) await (await import('../domains/simulated-report.ts')).writeSimulatedReport(page, `xr simulate --strategy ${wanted.strategy} --seed ${wanted.first}${wanted.fault === undefined ? '' : ` --fault ${wanted.fault}`}`, told)
    if (story !== undefined && !ctx.json) await ctx.stdout.write(`${story.join('\n')}\n\n`)
    const result = await simulated(ctx, wanted)
    return report(ctx, wanted, result, (ctx.now() - began) / 1000, story)
  },
}

interface Wanted {
  readonly strategy: StrategyName
  readonly fault: FaultName | undefined
  readonly first: number
  readonly seeds: number
  readonly jobs: number
}

async function wantedOf(options: OptionValues): Promise<Wanted> {
  const { strategies, strategyNames } = await import('@xen-replication/simulate')
  const strategy = textOption(options, 'strategy') ?? 'remus'
  if (!isOneOf(strategyNames, strategy)) throw usageError(`--strategy: '${strategy}' cannot be simulated`, `there is ${strategyNames.join(', ')}`)
  const fault = textOption(options, 'fault')
  const known: readonly FaultName[] = strategies[strategy].faults
  if (fault !== undefined && !isOneOf(known, fault)) throw usageError(`--fault: there is no fault '${fault}' of ${strategy}`, `there is ${known.join(', ')}`)
  const seed = textOption(options, 'seed')
  return {
    strategy,
    fault,
    first: wholeOf(seed ?? '1', '--seed', 0, 2 ** 31),
    seeds: wholeOf(textOption(options, 'seeds') ?? (seed === undefined ? `${SEEDS}` : '1'), '--seeds', 1, 2 ** 31),
    jobs: wholeOf(textOption(options, 'jobs') ?? '1', '--jobs', 1, MOST_JOBS),
  }
}

function wholeOf(text: string, option: string, least: number, most: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN
  if (!(value >= least && value <= most)) throw usageError(`${option}: '${text}' is not a whole number from ${least} to ${most}`)
  return value
}

const isOneOf = <T extends string>(list: readonly T[], text: string): text is T => (list as readonly string[]).includes(text)

async function storyOf({ strategy, fault, first }: Wanted): Promise<readonly string[]> {
  const { runSeed } = await import('@xen-replication/simulate')
  return (await runSeed({ seed: first, strategy, fault, keep: 'lines' })).story
}

async function simulated(ctx: VerbContext, wanted: Wanted): Promise<Simulated> {
  const { simulateSeeds } = await import('@xen-replication/simulate')
  let told = ctx.now()
  const progress = (played: number): void => {
    if (ctx.verbosity < 0 || ctx.now() - told < PROGRESS_MS) return
    told = ctx.now()
    ctx.stderr.writeNow(`${played} of ${wanted.seeds} seeds\n`)
  }
  try {
    return await simulateSeeds({ ...wanted, signal: ctx.signal, progress })
  } catch (error) {
    throw ctx.signal.aborted ? interrupted() : error
  }
}

/** How often it is told how far it is, in milliseconds. */
const PROGRESS_MS = 10_000

async function report(ctx: VerbContext, wanted: Wanted, result: Simulated, seconds: number, story: readonly string[] | undefined): Promise<ExitCode> {
  const violations = await violationsOf(wanted, result)
  const { digest, epochs, takeOvers, ms } = result
  if (ctx.json) await writeDocument(ctx.stdout, 'xr.simulate/1', { ...wanted, digest, epochs, takeOvers, virtualSeconds: ms / 1000, seconds, violations, story })
  else await ctx.stdout.write(simulatedText(wanted, result, seconds, violations))
  return violations.length === 0 ? exitCodes.done : exitCodes.failed
}
