import { progressText } from '../domains/status-text.ts'
import { settingsOf } from '../domains/with-toolstack.ts'
import { exitCodes } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import { tableText } from '../output/table.ts'
import { durationText } from '../output/units.ts'
import type { Verb } from './command.ts'

const columns = [{ heading: 'Verb' }, { heading: 'Guest' }, { heading: 'Id' }, { heading: 'Process', align: 'right' }, { heading: 'For', align: 'right' }, { heading: 'Progress' }, { heading: 'Where' }] as const

export const verb: Verb = {
  args: [],
  options: [],
  host: true,
  about: ['Lists what other xr of this user are doing on this host: saves, restores, migrations and those who wait for one.'],
  examples: [['xr status', 'from another terminal']],
  run: async (ctx, _args, options) => {
    const { operationsIn } = await import('@xen-replication/toolstack')
    const operations = await operationsIn((await settingsOf(ctx, options)).runDir)
    if (ctx.json) await writeDocument(ctx.stdout, 'xr.status/1', { operations })
    else if (operations.length === 0) await ctx.stdout.write('nothing is under way\n')
    else {
      const rows = operations.map((one) => [one.verb, one.guest ?? '-', one.id, String(one.pid), durationText(one.seconds * 1000), progressText(one), one.url ?? '-'])
      await ctx.stdout.write(tableText(columns, rows))
    }
    return exitCodes.done
  },
}
