import type { Durability, SecondaryNote } from '@xen-replication/qemu'
import { usageError } from '../cli-error.ts'
import { millisecondsOf } from '../domains/quantity.ts'
import { withToolstack } from '../domains/with-toolstack.ts'
import { exitCodes } from '../exit-codes.ts'
import { writeDocument, writeJsonLine } from '../output/json.ts'
import { bytesText, countText, durationText } from '../output/units.ts'
import { textOption, type OptionValues, type Verb, type VerbContext } from './command.ts'

export const verb: Verb = {
  args: [],
  options: [
    { flags: '--listen <URL>', what: 'where the primary connects to: unix:PATH or tcp://HOST:PORT' },
    { flags: '--store <DIR>', what: 'where the last complete checkpoint is kept' },
    { flags: '--durability <WHAT>', what: 'what a checkpoint has outlived before it is acknowledged: power, a crash of this host; process, the end of xr only', standard: 'power' },
    { flags: '--answer-timeout <TIME>', what: 'how long the primary may be silent in the middle of something', standard: '10s' },
    { flags: '--idle-timeout <TIME>', what: 'how long it may take to the next checkpoint; for ever unless it is given' },
  ],
  host: true,
  lines: true,
  about: [
    'Is the COLO secondary of an unmodified QEMU, without a guest of its own: it keeps the last complete checkpoint, on the disk and with checksums, and acknowledges a checkpoint when it is safe. When the primary is lost, `xr qemu-restore` starts a QEMU there.',
    'With `--durability process` the guest stands for as long as another QEMU would have it stand, and a crash of this host takes the backup a few checkpoints back, to a complete one.',
    'At the primary: migrate-set-capabilities x-colo, migrate-set-parameters x-checkpoint-delay, then migrate to the URL. A unix socket is faster: over TCP QEMU 7.2 takes 40 ms more for each checkpoint.',
  ],
  examples: [['xr qemu-backup --listen unix:/run/guest.sock --store /srv/guest', 'waits for the primary and keeps what it sends']],
  run: async (ctx, _args, options) => {
    const [url, dir] = [textOption(options, 'listen'), textOption(options, 'store')]
    if (url === undefined || dir === undefined) throw usageError('--listen and --store are needed', 'for example --listen unix:/run/guest.sock --store /srv/guest')
    const durability = durabilityOf(options)
    const { openDirectoryStore, runPassiveSecondary } = await import('@xen-replication/qemu')
    return withToolstack(ctx, options, async ({ stack, T }) => {
      const [links, operations, clock] = [await stack.get(T.links), await stack.get(T.operations), await stack.get(T.clock)]
      const store = openDirectoryStore(dir, { durability })
      try {
        return await operations.run({ verb: 'qemu-backup', guest: undefined, url }, ctx.signal, async ({ signal }) => {
          const listener = await links.listen(url, signal)
          try {
            const channel = await listener.accept(signal)
            const end = await runPassiveSecondary({ channel, store, clock, signal, times: timesOf(options), observe: showing(ctx) }).finally(() => channel.close())
            return await told(ctx, url, dir, end)
          } finally {
            await listener.close()
          }
        })
      } finally {
        await store.close()
      }
    })
  },
}

const DURABILITIES: readonly string[] = ['power', 'process'] satisfies readonly Durability[]
const isDurability = (text: string): text is Durability => DURABILITIES.includes(text)

function durabilityOf(options: OptionValues): Durability {
  const text = textOption(options, 'durability') ?? 'power'
  if (isDurability(text)) return text
  throw usageError(`--durability: '${text}' is neither power nor process`, 'for example --durability power')
}

function timesOf(options: OptionValues): { readonly answerMs?: number; readonly idleMs?: number } {
  const [answer, idle] = [textOption(options, 'answerTimeout'), textOption(options, 'idleTimeout')]
  return { ...(answer === undefined ? {} : { answerMs: millisecondsOf(answer, '--answer-timeout') }), ...(idle === undefined ? {} : { idleMs: millisecondsOf(idle, '--idle-timeout') }) }
}

/** Tells of checkpoints as they come: lines of JSON, or progress. */
function showing(ctx: VerbContext): (note: SecondaryNote) => void {
  const task = ctx.progress.begin('qemu-backup')
  let written: Promise<void> = Promise.resolve()
  return (note) => {
    if (ctx.jsonl) written = written.then(() => writeJsonLine(ctx.stdout, { event: `qemu.${note.kind}`, ...note, kind: undefined })).catch(() => undefined)
    if (note.kind === 'ready' && ctx.verbosity >= 0) ctx.stderr.writeNow(`xr: ${note.machine} with ${bytesText(note.memoryBytes)} of memory is here; checkpoints follow\n`)
    if (note.kind === 'checkpoint' && ctx.verbosity > 0) ctx.stderr.writeNow(`xr: checkpoint ${note.epoch}: ${countText(note.pages)} pages, ${durationText(note.ms)}\n`)
    if (note.kind === 'move' && note.to === 'over') task.end()
  }
}

async function told(ctx: VerbContext, url: string, dir: string, { end, epoch, why }: { readonly end: 'lost' | 'ended'; readonly epoch: number | undefined; readonly why: Error | undefined }): Promise<typeof exitCodes.done> {
  if (epoch === undefined && why !== undefined) throw why
  const text = `the primary is gone${why === undefined ? '' : ` (${why.message})`}; ${epoch === undefined ? 'nothing' : `checkpoint ${epoch}`} is kept in ${dir}\n`
  if (ctx.json) await writeDocument(ctx.stdout, 'xr.qemu-backup/1', { url, store: dir, end, checkpoint: epoch, why: why?.message })
  else if (!ctx.jsonl) await ctx.stdout.write(`${text}to start it: xr qemu-restore ${dir} -- qemu-system-x86_64 …\n`)
  return exitCodes.done
}
