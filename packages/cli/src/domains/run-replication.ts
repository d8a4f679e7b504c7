import type { ReplicateRequest } from '@xen-replication/toolstack'
import { listOption, textOption, type OptionValues, type VerbContext } from '../commands/command.ts'
import { usageError } from '../cli-error.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import { openQemuDisks } from './qemu-disks.ts'
import { withToolstack } from './with-toolstack.ts'

/** Protects guests for as long as that goes on, and tells how it ended. */
export async function runReplication(ctx: VerbContext, options: OptionValues, request: ReplicateRequest): Promise<ExitCode> {
  const spec = textOption(options, 'qemuDisks')
  if (spec === undefined) return run(ctx, options, request)
  requireFit(request)
  const disks = await openQemuDisks(spec)
  return run(ctx, options, { ...request, moreDevices: () => (disks === undefined ? [] : [disks.primary]) }).finally(() => disks?.close())
}

/** Disks that QEMU copies. @throws CliError CLI_USAGE */
function requireFit({ doms, url, peer, options }: ReplicateRequest): void {
  if (options['no-diskbuf'] === true) throw usageError('-d and --qemu-disks exclude each other', 'give one of them')
  if (doms.length > 1) throw usageError('--qemu-disks names the disks of one guest', 'protect each guest by itself')
  if (url === undefined || peer === 'xl') throw usageError('--qemu-disks needs `xr receive --qemu-disks` at the other end', 'leave it out')
}

function run(ctx: VerbContext, options: OptionValues, request: ReplicateRequest): Promise<ExitCode> {
  warn(ctx, request)
  if (request.url !== undefined && request.peer !== 'xl') ctx.startGuard?.(hostOptions(options))
  return withToolstack(ctx, options, async ({ stack, T }) => {
    const began = ctx.now()
    const { guests, outcome, epochs } = await (await stack.get(T.replicate))(request, ctx.signal)
    const seconds = (ctx.now() - began) / 1000
    const names = guests.join(', ')
    const text = outcome === 'handed-over' ? `${names} runs at ${request.url ?? 'the other side'}` : `${names} runs on here, unprotected`
    if (ctx.json) await writeDocument(ctx.stdout, `xr.${request.verb}/1`, { guests, url: request.url, strategy: request.strategy, outcome, epochs, seconds })
    else if (!ctx.jsonl) await ctx.stdout.write(`${text}; ${epochs} epochs were acknowledged\n`)
    return exitCodes.done
  })
}

/** Options that say which host it is, as they were given. */
function hostOptions(options: OptionValues): readonly string[] {
  const named = [['--backend', 'backend'], ['--mock-host', 'mockHost'], ['--config', 'config']] as const
  const single = named.map(([flag, name]) => [flag, textOption(options, name)] as const)
  const plugins = listOption(options, 'plugin').map((name) => ['--plugin', name] as const)
  return [...single, ...plugins].flatMap(([flag, text]) => (text === undefined ? [] : [flag, text]))
}

/** What has to be known before it begins. */
function warn({ stderr, verbosity }: VerbContext, { arbiter = 'none', unsafe = false, url, peer, strategy }: ReplicateRequest): void {
  if (verbosity < 0 || url === undefined) return
  if (peer === 'xl' && strategy !== 'colo') stderr.writeNow('xr: warning: xl never acknowledges: output is let go when a checkpoint was handed to the link, so a failover may undo what was seen\n')
  if (unsafe) stderr.writeNow('xr: warning: --unsafe-no-arbiter: when the two sides lose each other both take over, and the guest runs twice\n')
  else if (arbiter === 'none') stderr.writeNow('xr: no arbiter: when this side is lost the backup waits for `xr failover`; when the backup is lost the guest runs on here\n')
}
