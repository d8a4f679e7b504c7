import { settingsOf } from '../domains/with-toolstack.ts'
import { exitCodes } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import type { Verb } from './command.ts'

export const verb: Verb = {
  args: [{ name: 'DOM', what: 'name, id or UUID of a guest, or the id that `xr status` shows' }],
  options: [],
  host: true,
  about: [
    'Calls off what another xr of this user is doing with a guest, and waits until that has ended. It ends as on a signal, with status 8: the guest runs on where it was, and nothing is left elsewhere.',
    'What has come too far to be called off, a guest that is handed over for instance, is brought to its end; that is told.',
  ],
  examples: [['xr abort demo', 'the migration of demo is called off']],
  run: async (ctx, [dom = ''], options) => {
    const { abortOperation } = await import('@xen-replication/toolstack')
    const { verb: what, guest, id, outcome, code } = await abortOperation((await settingsOf(ctx, options)).runDir, dom, ctx.signal)
    const of = guest === undefined ? '' : ` of ${guest}`
    const text = { interrupted: 'is called off', done: 'had come too far and is done', failed: `has failed by itself${code === undefined ? '' : ` (${code})`}` }[outcome]
    if (ctx.json) await writeDocument(ctx.stdout, 'xr.abort/1', { operation: id, verb: what, guest, outcome, code })
    else await ctx.stdout.write(`${what}${of} ${text}\n`)
    return outcome === 'interrupted' ? exitCodes.done : exitCodes.failed
  },
}
