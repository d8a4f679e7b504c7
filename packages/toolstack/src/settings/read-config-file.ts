import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ToolstackError } from '../toolstack-error.ts'
import { settingSpecs } from './setting-specs.ts'

/** What a configuration file says. */
export interface ConfigFile {
  readonly path: string
  /** By name; lists for settings that are lists. */
  readonly values: Readonly<Record<string, string | readonly string[]>>
  /** The table `[settings]`, for plugins. */
  readonly forPlugins: Readonly<Record<string, string>>
}

/** Name of the table whose names only plugins know. */
const PLUGIN_TABLE = 'settings'

/**
 * Reads a configuration file (TOML).
 *
 * @param must `exist`: it was asked for by name.
 * @returns undefined when there is none and there need not be.
 * @throws ToolstackError TOOL_CONFIG_FILE, TOOL_SETTING
 */
export async function readConfigFile(path: string, must: 'exist' | 'may-exist'): Promise<ConfigFile | undefined> {
  const text = read(path, must)
  return text === undefined ? undefined : { path, ...checked(path, await parsed(path, text)) }
}

function read(path: string, must: 'exist' | 'may-exist'): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    if (must === 'may-exist' && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined
    throw new ToolstackError('TOOL_CONFIG_FILE', `${path} cannot be read: ${code}`, { cause, hint: 'look at the name and at who may read it' })
  }
}

async function parsed(path: string, text: string): Promise<Readonly<Record<string, unknown>>> {
  const { parse } = await import('smol-toml')
  try {
    return parse(text)
  } catch (cause) {
    const [what = ''] = cause instanceof Error ? cause.message.split('\n') : []
    const line = cause instanceof Error && 'line' in cause ? `, line ${String(cause.line)}` : ''
    throw new ToolstackError('TOOL_CONFIG_FILE', `${path}${line}: ${what}`, { cause, hint: 'it is TOML: NAME = "VALUE", a line each' })
  }
}

function checked(path: string, table: Readonly<Record<string, unknown>>): Pick<ConfigFile, 'values' | 'forPlugins'> {
  const values: Record<string, string | readonly string[]> = {}
  let forPlugins: Readonly<Record<string, string>> = {}
  for (const [name, value] of Object.entries(table)) {
    if (name === PLUGIN_TABLE) forPlugins = pluginTable(path, value)
    else values[name] = settingValue(path, name, value)
  }
  return { values, forPlugins }
}

function settingValue(path: string, name: string, value: unknown): string | readonly string[] {
  const spec = settingSpecs.find((one) => one.name === name)
  if (spec === undefined) throw unknownSetting(`${path}: there is no setting '${name}'`)
  if (spec.kind === 'list') {
    if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value
    throw wrong(path, name, 'a list of texts, as in ["a", "b"]')
  }
  if (typeof value !== 'string') throw wrong(path, name, 'a text in quotation marks')
  return spec.kind === 'path' ? resolve(dirname(path), value) : value
}

function pluginTable(path: string, value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(path, PLUGIN_TABLE, 'a table: [settings], then NAME = VALUE')
  return Object.fromEntries(
    Object.entries(value).map(([name, one]: [string, unknown]) => {
      if (typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean') return [name, String(one)]
      throw wrong(path, `${PLUGIN_TABLE}.${name}`, 'a text, a number, true or false')
    }),
  )
}

const wrong = (path: string, name: string, wanted: string): ToolstackError => new ToolstackError('TOOL_SETTING', `${path}: '${name}' takes ${wanted}`)

/** The error for a name that no setting has. */
const unknownSetting = (what: string): ToolstackError =>
  new ToolstackError('TOOL_SETTING', what, { hint: `there are ${settingSpecs.map(({ name }) => name).join(', ')}; those of plugins stand under [${PLUGIN_TABLE}]` })
