import { domainDocument, stateText } from '../domains/domain-text.ts'
import { withToolstack } from '../domains/with-toolstack.ts'
import { exitCodes } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import { tableText } from '../output/table.ts'
import type { Verb } from './command.ts'

const PAGES_PER_MIB = 256
const columns = [{ heading: 'Name' }, { heading: 'ID', align: 'right' }, { heading: 'Type' }, { heading: 'MiB', align: 'right' }, { heading: 'VCPUs', align: 'right' }, { heading: 'State' }, { heading: 'Time(s)', align: 'right' }] as const

export const verb: Verb = {
  args: [],
  options: [],
  host: true,
  about: ['Lists the guests of this host, as `xl list` does. Time is that of their vCPUs.'],
  examples: [['xr list', 'the guests of this host'], ['xr --mock-host /tmp/a list --json', 'those of a simulated one, for a program']],
  run: async (ctx, _args, options) =>
    withToolstack(ctx, options, async ({ stack, T }) => {
      const domains = await (await stack.get(T.list))()
      if (ctx.json) await writeDocument(ctx.stdout, 'xr.list/1', { domains: domains.map(domainDocument) })
      else {
        const rows = domains.map((domain) => [domain.name, String(domain.domId), domain.kind, (domain.pages / PAGES_PER_MIB).toFixed(0), String(domain.vcpus), stateText(domain), (Number(domain.cpuTime) / 1e9).toFixed(1)])
        await ctx.stdout.write(tableText(columns, rows))
      }
      return exitCodes.done
    }),
}
