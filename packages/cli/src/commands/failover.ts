import { settingsOf } from '../domains/with-toolstack.ts'
import { exitCodes } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import type { Verb } from './command.ts'

export const verb: Verb = {
  args: [{ name: 'DOM', what: 'name, id or UUID of a guest, or the id that `xr status` shows' }],
  options: [],
  host: true,
  about: [
    'Has the other side of a replication run the guest, and waits until it does. While the two sides are linked the guest is handed over, and nothing is lost: it is suspended here, its last state is sent, and it runs there. It makes no difference on which host this is typed.',
    'When they have lost each other and nobody could say which of them may run the guest, it stands still on both. Typed then, it lets the guest run on the host where it is typed. See to it that the other one is off: nobody else does.',
  ],
  examples: [['xr failover demo', 'demo moves to its backup']],
  run: async (ctx, [dom = ''], options) => {
    const { failoverOperation } = await import('@xen-replication/toolstack')
    const { verb: what, guest, id, outcome, code } = await failoverOperation((await settingsOf(ctx, options)).runDir, dom, ctx.signal)
    const of = guest === undefined ? '' : ` of ${guest}`
    const text = { done: 'is over: the guest runs where it should', interrupted: 'was called off meanwhile', failed: `has failed${code === undefined ? '' : ` (${code})`}` }[outcome]
    if (ctx.json) await writeDocument(ctx.stdout, 'xr.failover/1', { operation: id, verb: what, guest, outcome, code })
    else await ctx.stdout.write(`${what}${of} ${text}\n`)
    return outcome === 'done' ? exitCodes.done : exitCodes.failed
  },
}
