import type { Judgement, OpenMonitors, PairEnd, PairNote, PairPorts } from '@xen-replication/qemu'
import type { ChosenArbiter, Operation } from '@xen-replication/toolstack'
import { randomUUID } from 'node:crypto'
import { usageError } from '../cli-error.ts'
import { millisecondsOf } from '../domains/quantity.ts'
import { withToolstack, type OpenToolstack } from '../domains/with-toolstack.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { writeDocument, writeJsonLine } from '../output/json.ts'
import { durationText, plural } from '../output/units.ts'
import { needed, pairOptions, pairPlanOf } from '../qemu/pair-options.ts'
import { placeOf } from '../qemu/place.ts'
import { switchOption, textOption, type OptionValues, type Verb, type VerbContext } from './command.ts'

const [HEARTBEAT, FAILURE] = ['200ms', '2s']

export const verb: Verb = {
  args: [],
  options: [
    ...pairOptions,
    { flags: '--arbiter <URL>', what: 'who decides which QEMU goes on when the other is lost', standard: 'nobody: the primary may, the secondary may not' },
    { flags: '--unsafe-no-arbiter', what: 'whichever is left goes on; two guests may run when only the network is down' },
    { flags: '--guest <UUID>', what: 'how the arbiter knows the guest', standard: 'the UUID of the primary' },
    { flags: '--heartbeat <TIME>', what: 'how often both are asked whether they are there', standard: HEARTBEAT },
    { flags: '--failure-timeout <TIME>', what: 'how long one may not answer before it is lost', standard: FAILURE },
    { flags: '--stall-timeout <TIME>', what: 'how long a guest may stand for one checkpoint', standard: '10s' },
  ],
  host: true,
  lines: true,
  about: [
    'Has two QEMUs replicate a guest, watches them over QMP, and lets the one that is left go on alone. QEMU itself waits for ever for a peer that is silent, and never decides.',
    'Without --netdev checkpoints come by the clock (--interval). With it, both guests see the same packets, what they answer is compared, and a checkpoint is made when answers differ, or at the latest after --interval.',
    'When the primary is lost, the secondary goes on if the arbiter grants it. When the secondary is lost, the primary does. When both answer and do not replicate any more, the secondary is ended first. Ctrl-C ends the watching; the pair replicates on.',
  ],
  examples: [['xr qemu-colo --primary unix:/run/a.qmp --secondary unix:/run/b.qmp --link unix:/run/colo.sock --arbiter file:/shared/guest', 'a checkpoint every 200 ms, and a folder that decides']],
  run: async (ctx, _args, options) => {
    const [plan, times] = [pairPlanOf(options), timesOf(options)]
    const places = { primary: placeOf(needed(options, 'primary'), '--primary'), secondary: placeOf(needed(options, 'secondary'), '--secondary') }
    if (switchOption(options, 'unsafeNoArbiter') && textOption(options, 'arbiter') !== undefined) throw usageError('an arbiter was named, and that there is to be none', 'leave out --unsafe-no-arbiter')
    const { openMonitors, runPair } = await import('@xen-replication/qemu')
    return withToolstack(ctx, options, async (open) => {
      const [operations, clock] = [await open.stack.get(open.T.operations), await open.stack.get(open.T.clock)]
      return operations.run({ verb: 'qemu-colo', guest: textOption(options, 'guest'), url: textOption(options, 'link') }, ctx.signal, async (operation) => {
        const { signal } = operation
        const monitors = await openMonitors(places, clock, Math.max(10_000, times.silenceMs))
        let chosen: ChosenArbiter | undefined
        try {
          const [guest, session, shown] = [guestOf(options, monitors), randomUUID(), showing(ctx)]
          chosen = await arbiterOf(open, options, signal)
          const judge = await judgeOf(chosen, { guest, session }, operation, clock)
          const end = await runPair({ monitors, plan, judge, session, clock, signal, times, observe: shown.see })
          await shown.written()
          return await told(ctx, end)
        } finally {
          monitors.close()
          await chosen?.arbiter?.close()
        }
      })
    })
  },
}

async function arbiterOf({ stack, T }: OpenToolstack, options: OptionValues, signal: AbortSignal): Promise<ChosenArbiter> {
  const { openArbiter } = await import('@xen-replication/toolstack')
  return openArbiter(await stack.get(T.collected), { arbiter: textOption(options, 'arbiter'), unsafe: switchOption(options, 'unsafeNoArbiter') }, signal)
}

/** Asks as each side that replicates does. */
async function judgeOf({ kind, arbiter }: ChosenArbiter, of: Readonly<Record<'guest' | 'session', string>>, { emit }: Operation, clock: PairPorts['clock']): Promise<PairPorts['judge']> {
  const { Arbitration } = await import('@xen-replication/toolstack')
  return async (side, signal) => {
    let said: Judgement = { answer: 'unknown', reason: undefined }
    const listening: Operation['emit'] = (name, data) => {
      if (isAnswer(data)) said = data
      emit(name, data)
    }
    await new Arbitration({ kind, arbiter, claim: { ...of, side }, clock, emit: listening }).claim(signal)
    return said
  }
}

const isAnswer = (data: object): data is Judgement => 'answer' in data && 'reason' in data

function guestOf(options: OptionValues, { guest }: OpenMonitors): string {
  const named = textOption(options, 'guest')
  if (named !== undefined) return named
  const url = textOption(options, 'arbiter')
  if (url !== undefined && url !== 'none' && /^[0-]*$/.test(guest)) throw usageError('the guest has no UUID, so the arbiter does not know it', 'start both QEMUs with -uuid, or give --guest')
  return guest
}

function timesOf(options: OptionValues): { readonly heartbeatMs: number; readonly silenceMs: number; readonly stallMs: number } {
  const of = (name: string, option: string, standard: string): number => millisecondsOf(textOption(options, name) ?? standard, option)
  const times = { heartbeatMs: of('heartbeat', '--heartbeat', HEARTBEAT), silenceMs: of('failureTimeout', '--failure-timeout', FAILURE), stallMs: of('stallTimeout', '--stall-timeout', '10s') }
  if (times.heartbeatMs < 1 || times.silenceMs < 2 * times.heartbeatMs) throw usageError('--failure-timeout is at least two heartbeats', 'for example --heartbeat 200ms --failure-timeout 2s')
  return times
}

/** Tells of what happens as it does: lines of JSON, or words. */
function showing(ctx: VerbContext): { readonly see: (note: PairNote) => void; readonly written: () => Promise<void> } {
  let written: Promise<void> = Promise.resolve()
  const see = (note: PairNote): void => {
    if (ctx.jsonl) written = written.then(() => writeJsonLine(ctx.stdout, { event: `qemu.${note.kind}`, ...note, kind: undefined })).catch(() => undefined)
    if (ctx.verbosity >= 0 && note.kind === 'move') ctx.stderr.writeNow(`xr: ${wordsOf(note)}`)
    if (ctx.verbosity > 0 && note.kind === 'checkpoint') ctx.stderr.writeNow(`xr: checkpoint ${note.number}: the guest stood for ${durationText(note.pausedMs)}\n`)
  }
  return { see, written: () => written }
}

const words: Readonly<Partial<Record<Extract<PairNote, { kind: 'move' }>['event'], string>>> = {
  begin: 'setting the pair up',
  replicating: 'both guests run; checkpoints follow',
  'primary-lost': 'the primary is lost',
  'secondary-lost': 'the secondary is lost',
  'link-lost': 'both QEMUs answer, and do not replicate any more',
  'both-lost': 'neither QEMU answers',
}
const wordsOf = ({ event, to }: Extract<PairNote, { kind: 'move' }>): string => `${words[event] ?? `${event}: ${to}`}\n`

async function told(ctx: VerbContext, { end, because, side, checkpoints, reason }: PairEnd): Promise<ExitCode> {
  if (ctx.json) await writeDocument(ctx.stdout, 'xr.qemu-colo/1', { end, because, side, checkpoints, reason })
  const texts = {
    alone: `the ${side ?? 'guest'} goes on alone, after ${plural(checkpoints, 'checkpoint')}`,
    yielded: `the arbiter denies the guest to the ${side ?? 'side that is left'}${reason === undefined ? '' : ` (${reason})`}; it stands there`,
    undecided: `nothing was done${reason === undefined ? '' : `: ${reason}`}; make sure that the other side is off, then give x-colo-lost-heartbeat to the one that is left`,
  }
  if (!ctx.json && !ctx.jsonl) await ctx.stdout.write(`${texts[end]}\n`)
  if (end === 'alone') return exitCodes.done
  return because === 'both-lost' ? exitCodes.peerLost : exitCodes.notAllowedByArbiter
}
