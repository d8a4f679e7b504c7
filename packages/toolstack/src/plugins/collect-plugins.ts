import { contributionsOf, PluginError, type ContributionKind, type ContributionKinds, type Plugin, type PluginErrorCode } from '@xen-replication/plugin-api'

/** Something that a plugin brings, and which plugin that is. */
export interface Found<K extends ContributionKind = ContributionKind> {
  readonly kind: K
  readonly name: string
  readonly plugin: string
  readonly what: ContributionKinds[K]
}

/** All that the plugins bring. */
export interface Collected {
  readonly plugins: readonly Plugin[]
  readonly contributions: readonly Found[]
  /** Those of one kind, in the order of the plugins. */
  of<K extends ContributionKind>(kind: K): readonly Found<K>[]
  /** @throws PluginError PLUGIN_NO_BACKEND, PLUGIN_NO_TRANSPORT, PLUGIN_NO_STRATEGY, PLUGIN_NO_ARBITER */
  need<K extends Exclude<ContributionKind, 'observer'>>(kind: K, name: string): Found<K>
}

const missing: Readonly<Record<Exclude<ContributionKind, 'observer'>, PluginErrorCode>> = {
  backend: 'PLUGIN_NO_BACKEND',
  transport: 'PLUGIN_NO_TRANSPORT',
  strategy: 'PLUGIN_NO_STRATEGY',
  arbiter: 'PLUGIN_NO_ARBITER',
}

/**
 * Asks plugins what they bring. Nothing is opened.
 *
 * @throws PluginError PLUGIN_DUPLICATE when two bring the same; PLUGIN_MALFORMED, PLUGIN_API, PLUGIN_LOAD
 */
export function collectPlugins(plugins: readonly Plugin[]): Collected {
  const contributions = plugins.flatMap((plugin) => contributionsOf(plugin).map((one): Found => ({ ...one, plugin: plugin.name })))
  const seen = new Map<string, Found>()
  for (const one of contributions) {
    const other = seen.get(`${one.kind} ${one.name}`)
    if (other !== undefined) throw duplicate(one, other)
    seen.set(`${one.kind} ${one.name}`, one)
  }
  const of = <K extends ContributionKind>(kind: K): readonly Found<K>[] => contributions.filter((one): one is Found<K> => one.kind === kind)
  return {
    plugins,
    contributions,
    of,
    need: (kind, name) => {
      const found = of(kind).find((one) => one.name === name)
      if (found !== undefined) return found
      const known = of(kind).map((one) => one.name)
      throw new PluginError(missing[kind], `no plugin brings ${/^[ao]/.test(kind) ? 'an' : 'a'} ${kind} '${name}'`, { hint: `known: ${known.join(', ') || 'none'}; --plugin NAME loads more` })
    },
  }
}

function duplicate(one: Found, other: Found): PluginError {
  const who = one.plugin === other.plugin ? `${one.plugin}, loaded twice,` : `${other.plugin} and ${one.plugin} both`
  return new PluginError('PLUGIN_DUPLICATE', `${who} bring the ${one.kind} '${one.name}'`, { hint: 'load one of them only' })
}
