import { withToolstack } from '../domains/with-toolstack.ts'
import { exitCodes } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import type { Verb } from './command.ts'

export const verb: Verb = {
  args: [{ name: 'DOM', what: 'id, name or UUID of a guest' }],
  options: [],
  host: true,
  about: ['Ends a guest at once, as pulling the plug of a machine does. What it has not written to its disks is lost.'],
  examples: [['xr destroy demo', 'demo is gone']],
  run: async (ctx, [dom = ''], options) =>
    withToolstack(ctx, options, async ({ stack, T }) => {
      const { domId, name, uuid } = await (await stack.get(T.destroy))(dom)
      if (ctx.json) await writeDocument(ctx.stdout, 'xr.destroy/1', { id: domId, name, uuid })
      else await ctx.stdout.write(`${name}, domain ${domId}, is destroyed\n`)
      return exitCodes.done
    }),
}
