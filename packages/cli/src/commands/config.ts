import type { SettingEntry } from '@xen-replication/toolstack'
import { settingsOf } from '../domains/with-toolstack.ts'
import { exitCodes } from '../exit-codes.ts'
import { writeDocument } from '../output/json.ts'
import { tableText } from '../output/table.ts'
import { switchOption, type Verb } from './command.ts'

const columns = [{ heading: 'Setting' }, { heading: 'Value' }] as const

export const verb: Verb = {
  args: [{ name: 'ACTION', what: 'what to do', choices: ['show'] }],
  options: [{ flags: '--origin', what: 'tell where each value comes from' }],
  host: true,
  about: [
    'Shows the settings that hold. They come from files (TOML), then from environment variables, then from the command line; what comes later counts, and plugins of all sources are loaded.',
    'Files are /etc/xr/config.toml and then $XDG_CONFIG_HOME/xr/config.toml, or else the one that --config or XR_CONFIG names. Settings are backend (XR_BACKEND), mock-host (XR_MOCK_HOST), plugins (XR_PLUGINS) and run-dir (XR_RUN_DIR); those of plugins stand in the table [settings].',
  ],
  examples: [['xr config show --origin', 'why xr does what it does']],
  run: async (ctx, _args, options) => {
    const { entries, files } = await settingsOf(ctx, options)
    if (ctx.json) await writeDocument(ctx.stdout, 'xr.config/1', { files, settings: entries })
    else if (switchOption(options, 'origin')) await ctx.stdout.write(tableText([...columns, { heading: 'Origin' }], entries.map((entry) => [entry.name, entry.value, originText(entry)])))
    else await ctx.stdout.write(tableText(columns, entries.map(({ name, value }) => [name, value])))
    return exitCodes.done
  },
}

const originText = ({ from, where }: SettingEntry): string => (where === undefined ? from : `${from} ${where}`)
