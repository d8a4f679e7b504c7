import type { Released } from '@xen-replication/toolstack'
import { usageError } from '../cli-error.ts'
import { fateText } from '../domains/fate-text.ts'
import { observerOptions } from '../domains/observer-options.ts'
import { millisecondsOf } from '../domains/quantity.ts'
import { arbiterChoice, arbiterOptions } from '../domains/replicate-options.ts'
import { withToolstack } from '../domains/with-toolstack.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import { bytesText } from '../output/units.ts'
import { switchOption, textOption, type Verb, type VerbContext } from './command.ts'

/** Standard input and output. */
const STDIO = 'fd:0,1'

export const verb: Verb = {
  args: [{ name: 'URL', what: 'where to wait for the other host; `-`, or nothing, is standard input and output', optional: true }],
  options: [
    { flags: '--xl', what: 'the other side is `xl migrate`, or `xr migrate --peer xl`' },
    { flags: '-r', what: 'with --xl: the other side is `xl remus`, or `xr remus --peer xl`' },
    { flags: '-p', what: 'leave the guest paused' },
    { flags: '--wait <TIME>', what: 'between two xr: how long to wait for a link that was lost', standard: '30s' },
    ...arbiterOptions,
    ...observerOptions,
  ],
  host: true,
  lines: true,
  about: [
    'Takes one guest from another host and ends. When anything fails, nothing of the guest is left here, and it runs on there; both sides say why.',
    'What the other host has in mind it says itself: `xr migrate` moves a guest here; `xr remus` keeps a backup here, which takes over when the arbiter says so, or at `xr failover`.',
    'With --xl it takes the place of `xl migrate-receive`: the same messages in the same order.',
  ],
  examples: [
    ['xr receive tcp://0.0.0.0:9000', 'waits for `xr migrate demo tcp://…`'],
    ['xl migrate -s "" demo "xr receive --xl"', 'xl as the sender, on the same host'],
  ],
  run: async (ctx, [where = '-'], options) => {
    const url = where === '-' ? STDIO : where
    const stdio = /^fd:(?:\d+,)?1$/.test(url)
    if (stdio && (ctx.json || ctx.jsonl)) throw usageError('standard output is the link to the other host', 'leave out --json and --jsonl, or wait at another URL')
    if (switchOption(options, 'r') && !switchOption(options, 'xl')) throw usageError('-r has a meaning with --xl only', 'between two xr the sender says what it wants')
    const wait = textOption(options, 'wait')
    const paused = switchOption(options, 'p')
    return withToolstack(ctx, options, async ({ stack, T }) => {
      const began = ctx.now()
      const receive = await stack.get(T.receive)
      const peer = switchOption(options, 'xl') ? 'xl' : 'xr'
      const received = await receive({ url, peer, stream: switchOption(options, 'r') ? 'remus' : 'plain', then: paused ? 'stay-paused' : 'run', waitMs: wait === undefined ? undefined : millisecondsOf(wait, '--wait'), ...arbiterChoice(options, ctx) }, ctx.signal)
      if (received.released === true) return tellReleased(ctx, stdio, url, received)
      const { guest, domId, kind, bytes, doubt, replica } = received
      if (doubt !== undefined) ctx.stderr.writeNow(`xr: warning: the other side may not know that ${guest} is here: ${doubt.message}\n`)
      const whole = replica === undefined ? '' : ` and ${replica.epochs} epochs`
      const text = `${fateText(guest, 'target', paused ? 'paused' : 'runs')}, domain ${domId}, from ${bytesText(bytes)}${whole}\n`
      if (ctx.json) await writeDocument(ctx.stdout, 'xr.receive/1', { guest, id: domId, type: kind, url, bytes, state: paused ? 'paused' : 'running', ...replica, seconds: (ctx.now() - began) / 1000 })
      else if (stdio) ctx.stderr.writeNow(text)
      else if (!ctx.jsonl) await ctx.stdout.write(text)
      return exitCodes.done
    })
  },
}

/** A primary that ended its replication has its guest on the other host. */
async function tellReleased(ctx: VerbContext, stdio: boolean, url: string, { guests, epochs }: Released): Promise<ExitCode> {
  const text = `the primary has ended it after ${epochs} epochs; nothing of ${guests.join(', ') || 'the guest'} is left here\n`
  if (ctx.json) await writeDocument(ctx.stdout, 'xr.receive/1', { guest: guests[0], guests, url, epochs, state: 'released' })
  else if (stdio) ctx.stderr.writeNow(text)
  else if (!ctx.jsonl) await ctx.stdout.write(text)
  return exitCodes.done
}
