import { usageError } from '../cli-error.ts'
import { fateText } from '../domains/fate-text.ts'
import { millisecondsOf } from '../domains/quantity.ts'
import { withToolstack } from '../domains/with-toolstack.ts'
import { exitCodes } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import { bytesText } from '../output/units.ts'
import { switchOption, textOption, type Verb } from './command.ts'

/** Standard input and output. */
const STDIO = 'fd:0,1'

export const verb: Verb = {
  args: [{ name: 'URL', what: 'where to wait for the other host; `-`, or nothing, is standard input and output', optional: true }],
  options: [
    { flags: '--xl', what: 'the other side is `xl migrate`, or `xr migrate --peer xl`' },
    { flags: '-p', what: 'leave the guest paused' },
    { flags: '--wait <TIME>', what: 'between two xr: how long to wait for a link that was lost', standard: '30s' },
  ],
  host: true,
  lines: true,
  about: [
    'Takes one guest from another host and ends. When anything fails, nothing of the guest is left here, and it runs on there; both sides say why.',
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
    const wait = textOption(options, 'wait')
    const paused = switchOption(options, 'p')
    return withToolstack(ctx, options, async ({ stack, T }) => {
      const began = ctx.now()
      const receive = await stack.get(T.receive)
      const peer = switchOption(options, 'xl') ? 'xl' : 'xr'
      const received = await receive({ url, peer, then: paused ? 'stay-paused' : 'run', waitMs: wait === undefined ? undefined : millisecondsOf(wait, '--wait') }, ctx.signal)
      const { guest, domId, kind, bytes, doubt } = received
      if (doubt !== undefined) ctx.stderr.writeNow(`xr: warning: the other side may not know that ${guest} is here: ${doubt.message}\n`)
      const text = `${fateText(guest, 'target', paused ? 'paused' : 'runs')}, domain ${domId}, from ${bytesText(bytes)}\n`
      if (ctx.json) await writeDocument(ctx.stdout, 'xr.receive/1', { guest, id: domId, type: kind, url, bytes, state: paused ? 'paused' : 'running', seconds: (ctx.now() - began) / 1000 })
      else if (stdio) ctx.stderr.writeNow(text)
      else if (!ctx.jsonl) await ctx.stdout.write(text)
      return exitCodes.done
    })
  },
}
