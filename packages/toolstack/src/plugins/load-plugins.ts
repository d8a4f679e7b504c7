import { isPlugin, isXrError, PluginError, type Plugin } from '@xen-replication/plugin-api'
import { resolvePackage } from './resolve-package.ts'

/**
 * Loads plugins by the names of their packages. A name that is there twice counts once.
 *
 * @param from folder from which packages are looked for, upwards: that of the user, who has installed them.
 * @throws PluginError PLUGIN_NOT_FOUND, PLUGIN_LOAD; what defining a plugin throws
 */
export async function loadPlugins(names: readonly string[], from: string): Promise<readonly Plugin[]> {
  const plugins: Plugin[] = []
  for (const name of new Set(names)) plugins.push(...(await loadPlugin(name, from)))
  return plugins
}

async function loadPlugin(name: string, from: string): Promise<readonly Plugin[]> {
  const file = resolvePackage(name, from)
  if (file === undefined) throw new PluginError('PLUGIN_NOT_FOUND', `there is no package '${name}' here`, { hint: `npm install ${name}, in ${from} or above` })
  const exported = await load(name, file)
  const plugins = [...new Set(Object.values(exported))].filter(isPlugin) // by shape: the package may have a plugin-api of its own
  if (plugins.length === 0) throw new PluginError('PLUGIN_NOT_FOUND', `'${name}' is installed but exports no plugin`, { hint: 'look at the name; a plugin is made with definePlugin()' })
  return plugins
}

async function load(name: string, file: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(file)) as Readonly<Record<string, unknown>>
  } catch (cause) {
    if (isXrError(cause)) throw cause
    throw new PluginError('PLUGIN_LOAD', `'${name}' fails while it is loaded: ${cause instanceof Error ? cause.message : String(cause)}`, { cause, hint: 'report this to its author' })
  }
}
