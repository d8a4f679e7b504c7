import type { Found } from '@xen-replication/toolstack'
import { pluginsOf, settingsOf } from '../domains/with-toolstack.ts'
import { exitCodes } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import { tableText } from '../output/table.ts'
import type { Verb } from './command.ts'

const columns = [{ heading: 'Kind' }, { heading: 'Name' }, { heading: 'Plugin' }, { heading: 'What it is' }] as const

export const verb: Verb = {
  args: [],
  options: [],
  host: true,
  about: ['Lists backends, transports, strategies, arbiters and observers, and the plugins that bring them: those that come with xr, and those of --plugin, XR_PLUGINS and `plugins` in a configuration file. Nothing is opened.'],
  examples: [['xr plugins --plugin @acme/xr-quic', 'whether a package is found and what it brings']],
  run: async (ctx, _args, options) => {
    const { collectPlugins } = await import('@xen-replication/toolstack')
    const { contributions } = collectPlugins(await pluginsOf(ctx, await settingsOf(ctx, options)))
    if (ctx.json) await writeDocument(ctx.stdout, 'xr.plugins/1', { contributions: contributions.map((one) => ({ kind: one.kind, name: one.name, plugin: one.plugin, summary: summaryOf(one) })) })
    else await ctx.stdout.write(tableText(columns, contributions.map((one) => [one.kind, one.name, one.plugin, summaryOf(one)])))
    return exitCodes.done
  },
}

/** Transports say nothing of themselves but which ways they go. */
function summaryOf({ what }: Found): string {
  return 'summary' in what ? what.summary : what.duplex ? 'both ways' : 'one way'
}
