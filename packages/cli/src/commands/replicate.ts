import { optionValues, type OptionSpec, type OptionValues as StrategyValues } from '@xen-replication/plugin-api'
import { usageError } from '../cli-error.ts'
import { millisecondsOf } from '../domains/quantity.ts'
import { replicateRequest, replicationOptions } from '../domains/replicate-options.ts'
import { runReplication } from '../domains/run-replication.ts'
import { pluginsOf, settingsOf } from '../domains/with-toolstack.ts'
import { sizeOf } from '../images/size-text.ts'
import { listOption, textOption, type Verb } from './command.ts'

export const verb: Verb = {
  args: [
    { name: 'DOM', what: 'id, name or UUID of a guest' },
    { name: 'URL', what: 'where `xr receive` waits on the other host; further guests may stand before it', many: true, optional: true },
  ],
  options: [
    { flags: '--strategy <NAME>', what: 'how: remus, colo, or another one that a plugin brings' },
    { flags: '--set <NAME=VALUE>', what: 'an option of the strategy; a switch takes yes or no; may be given several times', many: true },
    ...replicationOptions,
  ],
  host: true,
  lines: true,
  about: ['Keeps two hosts able to run one guest, in a way that a plugin brings; `xr remus` and `xr colo` are shorthands. `xr plugins` lists strategies.'],
  examples: [['xr replicate --strategy remus --set interval=50ms demo tcp://backup:9000', 'as `xr remus -i 50ms`']],
  run: async (ctx, words, options) => {
    const name = textOption(options, 'strategy')
    if (name === undefined) throw usageError('which strategy?', 'give --strategy NAME; `xr plugins` lists them')
    const { collectPlugins } = await import('@xen-replication/toolstack')
    const { what } = collectPlugins(await pluginsOf(ctx, await settingsOf(ctx, options))).need('strategy', name)
    const given = valuesOf(what.options, listOption(options, 'set'))
    optionValues(what.options, given)
    return runReplication(ctx, options, replicateRequest('replicate', name, words, given, options, ctx))
  },
}

function valuesOf(specs: readonly OptionSpec[], pairs: readonly string[]): StrategyValues {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) throw usageError(`--set: '${pair}' is not NAME=VALUE`)
      const [name, text] = [pair.slice(0, at), pair.slice(at + 1)]
      const spec = specs.find((one) => one.name === name)
      if (spec === undefined) throw usageError(`--set: the strategy has no option '${name}'`, `it has ${specs.map((one) => one.name).join(', ')}`)
      return [name, valueOf(spec, text)]
    }),
  )
}

function valueOf({ unit, name }: OptionSpec, text: string): number | boolean | string {
  switch (unit) {
    case 'ms':
      return millisecondsOf(text, `--set ${name}`)
    case 'bytes':
      return sizeOf(text, `--set ${name}`)
    case 'count':
      return Number(text)
    case 'flag':
      if (text !== 'yes' && text !== 'no') throw usageError(`--set ${name}: yes or no`)
      return text === 'yes'
    case 'text':
      return text
  }
}
