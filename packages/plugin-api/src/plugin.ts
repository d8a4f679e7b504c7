import { isXrError } from '@xen-replication/errors'
import type { Contribution, ContributionKind, Contributions } from './contributions.ts'
import { PluginError } from './plugin-error.ts'

/** Number of this interface. A plugin made for another number is not loaded. */
export const PLUGIN_API = 1

/** What a package of a plugin exports. */
export interface Plugin {
  /** Name of its package. */
  readonly name: string
  readonly api: number
  /** Hands in what it brings. Does nothing else: no I/O, no global state. */
  contribute(to: Contributions): void
}

/**
 * Declares a plugin; a package exports the result under any name.
 *
 * @throws PluginError PLUGIN_MALFORMED, PLUGIN_API
 */
export function definePlugin(plugin: Plugin): Plugin {
  requirePlugin(plugin)
  return Object.freeze({ ...plugin })
}

/** Whether a value that a package exports is a plugin, for this or another number of the interface. */
export function isPlugin(value: unknown): value is Plugin {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string' && 'api' in value
    && typeof value.api === 'number' && 'contribute' in value && typeof value.contribute === 'function'
}

/** Members that each kind has to have, and what they are. */
const shapes: { readonly [K in ContributionKind]: Readonly<Record<string, string>> } = {
  backend: { summary: 'string', open: 'function' },
  transport: { duplex: 'boolean', dial: 'function', listen: 'function' },
  strategy: { summary: 'string', options: 'object', needs: 'function', primary: 'object', secondary: 'object' },
  arbiter: { summary: 'string', open: 'function' },
  observer: { summary: 'string', open: 'function' },
}

/**
 * Asks a plugin what it brings, and looks whether it has the shape that it should.
 *
 * @throws PluginError PLUGIN_MALFORMED, PLUGIN_API, PLUGIN_DUPLICATE within the plugin, PLUGIN_LOAD when it fails itself
 */
export function contributionsOf(plugin: Plugin): readonly Contribution[] {
  requirePlugin(plugin)
  const found: Contribution[] = []
  const take = (kind: ContributionKind) => (name: string, what: unknown): void => {
    requireShape(plugin, kind, name, what)
    if (found.some((other) => other.kind === kind && other.name === name)) {
      throw new PluginError('PLUGIN_DUPLICATE', `${plugin.name} contributes the ${kind} '${name}' twice`, { hint: 'report this to the author of the plugin' })
    }
    found.push({ kind, name, what } as Contribution)
  }
  try {
    plugin.contribute({ backend: take('backend'), transport: take('transport'), strategy: take('strategy'), arbiter: take('arbiter'), observer: take('observer') })
  } catch (error) {
    if (isXrError(error)) throw error
    throw new PluginError('PLUGIN_LOAD', `${plugin.name} fails: ${error instanceof Error ? error.message : String(error)}`, { cause: error, hint: 'load without this plugin' })
  }
  return found
}

function requirePlugin(plugin: unknown): void {
  if (!isPlugin(plugin) || plugin.name === '') {
    throw new PluginError('PLUGIN_MALFORMED', 'this is not a plugin', { hint: 'a plugin has a name, an api number and contribute()' })
  }
  if (plugin.api !== PLUGIN_API) {
    throw new PluginError('PLUGIN_API', `${plugin.name} is made for plugin interface ${plugin.api}; here it is ${PLUGIN_API}`, {
      hint: plugin.api > PLUGIN_API ? 'use a newer xr, or an older version of the plugin' : 'look for a newer version of the plugin',
    })
  }
}

function requireShape(plugin: Plugin, kind: ContributionKind, name: string, what: unknown): void {
  const wrong = (problem: string): PluginError =>
    new PluginError('PLUGIN_MALFORMED', `the ${kind} '${name}' of ${plugin.name} ${problem}`, { hint: 'report this to the author of the plugin' })
  if (!/^[a-z][a-z0-9+.-]*$/.test(name)) throw wrong('has a name that is not allowed: small letters, digits, "+", "." and "-", a letter first')
  if (typeof what !== 'object' || what === null) throw wrong('is not an object')
  for (const [member, type] of Object.entries(shapes[kind])) {
    const value: unknown = (what as Record<string, unknown>)[member]
    if (typeof value !== type || value === null) throw wrong(`lacks '${member}' (a ${type})`)
  }
}
