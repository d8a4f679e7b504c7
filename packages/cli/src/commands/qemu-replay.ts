import type { PrimaryNote, ReplaySource } from '@xen-replication/qemu'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { usageError } from '../cli-error.ts'
import { millisecondsOf } from '../domains/quantity.ts'
import { withToolstack } from '../domains/with-toolstack.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { writeDocument, writeJsonLine } from '../output/json.ts'
import { durationText, plural } from '../output/units.ts'
import { textOption, type OptionValues, type Verb, type VerbContext } from './command.ts'

const COUNT_MAX = 1_000_000

export const verb: Verb = {
  args: [
    { name: 'FILE', what: 'what a COLO primary said (`xr qemu-record` writes it), or the store of `xr qemu-backup`' },
    { name: 'URL', what: 'where the secondary listens: unix:PATH or tcp://HOST:PORT' },
  ],
  options: [
    { flags: '--checkpoints <N>', what: 'how many checkpoints to send, from the first again behind the last', standard: 'each once' },
    { flags: '-i, --interval <TIME>', what: 'from the end of a checkpoint to the next one', standard: '200ms' },
    { flags: '--answer-timeout <TIME>', what: 'how long the secondary may be silent, or take nothing', standard: '10s' },
  ],
  host: true,
  lines: true,
  about: [
    'Is the COLO primary of an unmodified QEMU that was started with `-incoming`, without a guest of its own: it sends a recorded guest and its checkpoints, and tells how long each took there. For testing a secondary, and for looking at a recorded guest as it went on.',
    'The secondary takes the end for a lost primary and waits: `x-colo-lost-heartbeat` lets its guest go on for good.',
  ],
  examples: [['xr qemu-replay guest.p2s unix:/run/guest.sock --checkpoints 100 -i 50ms', 'sends a hundred checkpoints']],
  run: async (ctx, [file = '', url = ''], options) => {
    const wanted = settingsOf(options)
    const { source, close } = await opened(resolve(ctx.cwd, file))
    try {
      return await withToolstack(ctx, options, async ({ stack, T }) => {
        const { runReplayPrimary } = await import('@xen-replication/qemu')
        const [links, operations, clock] = [await stack.get(T.links), await stack.get(T.operations), await stack.get(T.clock)]
        return operations.run({ verb: 'qemu-replay', guest: undefined, url }, ctx.signal, async ({ signal }) => {
          const channel = await links.dial(url, signal)
          const shown = showing(ctx)
          const { checkpoints, why } = await runReplayPrimary({ channel, source, clock, signal, observe: shown.see, ...wanted }).finally(() => channel.close())
          await shown.written()
          if (why !== undefined) throw why
          return told(ctx, url, checkpoints, shown.loadedMs())
        })
      })
    } finally {
      close()
    }
  },
}

async function opened(path: string): Promise<{ readonly source: ReplaySource; readonly close: () => void }> {
  const { openBackup, openCapture, replayOfBackup } = await import('@xen-replication/qemu')
  if (existsSync(join(path, 'state.json'))) {
    const backup = await openBackup(path)
    return { source: replayOfBackup(backup), close: () => backup.close() }
  }
  const capture = await openCapture(path)
  return { source: capture, close: () => capture.close() }
}

function settingsOf(options: OptionValues): { readonly checkpoints?: number; readonly intervalMs?: number; readonly answerMs?: number } {
  const [checkpoints, interval, answer] = [textOption(options, 'checkpoints'), textOption(options, 'interval'), textOption(options, 'answerTimeout')]
  if (checkpoints !== undefined && !(/^\d{1,7}$/.test(checkpoints) && Number(checkpoints) <= COUNT_MAX)) throw usageError(`--checkpoints: '${checkpoints}' is no number up to ${COUNT_MAX}`, 'for example --checkpoints 100')
  return {
    ...(checkpoints === undefined ? {} : { checkpoints: Number(checkpoints) }),
    ...(interval === undefined ? {} : { intervalMs: millisecondsOf(interval, '--interval') }),
    ...(answer === undefined ? {} : { answerMs: millisecondsOf(answer, '--answer-timeout') }),
  }
}

/** Tells of checkpoints as they come: lines of JSON, or words. */
function showing(ctx: VerbContext): { readonly see: (note: PrimaryNote) => void; readonly written: () => Promise<void>; readonly loadedMs: () => number } {
  let written: Promise<void> = Promise.resolve()
  let [sum, count] = [0, 0]
  const see = (note: PrimaryNote): void => {
    if (ctx.jsonl) written = written.then(() => writeJsonLine(ctx.stdout, { event: `qemu.${note.kind}`, ...note, kind: undefined })).catch(() => undefined)
    if (note.kind === 'ready' && ctx.verbosity >= 0) ctx.stderr.writeNow(`xr: the secondary runs the guest, after ${durationText(note.ms)}\n`)
    if (note.kind !== 'checkpoint') return
    sum += note.loadedMs
    count++
    if (ctx.verbosity > 0) ctx.stderr.writeNow(`xr: checkpoint ${note.checkpoint}: ${durationText(note.loadedMs)}\n`)
  }
  return { see, written: () => written, loadedMs: () => (count === 0 ? 0 : sum / count) }
}

async function told(ctx: VerbContext, url: string, checkpoints: number, ms: number): Promise<ExitCode> {
  if (ctx.json) await writeDocument(ctx.stdout, 'xr.qemu-replay/1', { url, checkpoints, meanMs: ms })
  else if (!ctx.jsonl) await ctx.stdout.write(`${plural(checkpoints, 'checkpoint')} loaded by the secondary${checkpoints === 0 ? '' : `, ${durationText(ms)} each`}; it waits for x-colo-lost-heartbeat\n`)
  return exitCodes.done
}
