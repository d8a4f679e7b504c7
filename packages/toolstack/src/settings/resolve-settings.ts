import type { Settings } from '@xen-replication/plugin-api'
import { isAbsolute, join, resolve } from 'node:path'
import { defaultBackend, defaultMockHost, defaultRunDir } from './defaults.ts'
import { readConfigFile, type ConfigFile } from './read-config-file.ts'
import { settingSpecs, type SettingSpec } from './setting-specs.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Where settings come from. */
export interface SettingSources {
  /** By name of the setting, as typed; undefined when not given. */
  readonly flags: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly env: Environment
  /** Paths that were typed are relative to this folder. */
  readonly cwd: string
  /** A configuration file that was asked for; it must exist. */
  readonly configFile?: string | undefined
}

/** Who said so. `where`: path of the file, name of the variable, the flag. */
export interface Origin {
  readonly from: 'default' | 'file' | 'environment' | 'flag'
  readonly where: string | undefined
}

export interface SettingEntry extends Origin {
  readonly name: string
  readonly value: string
}

/** What holds. */
export interface ResolvedSettings {
  /** A line a value: one for each setting that has one, of a list one for each part. */
  readonly entries: readonly SettingEntry[]
  /** Configuration files that were read. */
  readonly files: readonly string[]
  readonly backend: string
  readonly plugins: readonly string[]
  readonly runDir: string
  /** For backends and observers: all but the list of plugins. */
  readonly forPlugins: Settings
}

/**
 * Puts settings together: file < environment < flag, each name for itself; of files, that of the machine < that of the user. Plugins of all
 * sources are loaded.
 *
 * @throws ToolstackError TOOL_CONFIG_FILE, TOOL_SETTING
 */
export async function resolveSettings({ flags, env, cwd, configFile }: SettingSources): Promise<ResolvedSettings> {
  const files = await readFiles(configFile ?? given(env['XR_CONFIG']), env, cwd)
  const layers: readonly Layer[] = [
    { from: 'default', where: () => undefined, value: ({ name }) => defaults(env)[name]?.() },
    ...files.map((file): Layer => ({ from: 'file', where: () => file.path, value: ({ name }) => file.values[name] })),
    { from: 'environment', where: (spec) => spec.env, value: (spec) => fromText(spec, given(env[spec.env]), cwd) },
    { from: 'flag', where: (spec) => spec.flag, value: (spec) => inFolder(spec, flags[spec.name], cwd) },
  ]
  const entries = [...settingSpecs.flatMap((spec) => entriesOf(spec, layers)), ...pluginEntries(files)]
  const text = (name: string): string => entries.find((entry) => entry.name === name)?.value ?? ''
  return {
    entries,
    files: files.map(({ path }) => path),
    backend: text('backend'),
    plugins: entries.filter(({ name }) => name === 'plugins').map(({ value }) => value),
    runDir: text('run-dir'),
    forPlugins: Object.fromEntries(entries.filter(({ name }) => name !== 'plugins').map(({ name, value }) => [name, value])),
  }
}

interface Layer {
  readonly from: Origin['from']
  where(spec: SettingSpec): string | undefined
  value(spec: SettingSpec): string | readonly string[] | undefined
}

/** Of a list the parts of all layers; of others the last layer that has it. */
function entriesOf(spec: SettingSpec, layers: readonly Layer[]): readonly SettingEntry[] {
  const found = layers.flatMap((layer) => {
    const value = layer.value(spec)
    const parts = value === undefined ? [] : typeof value === 'string' ? [value] : value
    return parts.map((part) => ({ name: spec.name, value: part, from: layer.from, where: layer.where(spec) }))
  })
  return spec.kind === 'list' ? found.filter(({ value }, i) => found.findIndex((one) => one.value === value) === i) : found.slice(-1)
}

function pluginEntries(files: readonly ConfigFile[]): readonly SettingEntry[] {
  const byName = new Map<string, SettingEntry>()
  for (const { path, forPlugins } of files) for (const [name, value] of Object.entries(forPlugins)) byName.set(name, { name, value, from: 'file', where: path })
  return [...byName.values()]
}

async function readFiles(asked: string | undefined, env: Environment, cwd: string): Promise<readonly ConfigFile[]> {
  if (asked !== undefined) return some([await readConfigFile(resolve(cwd, asked), 'exist')])
  const home = given(env['XDG_CONFIG_HOME']) ?? (given(env['HOME']) === undefined ? undefined : join(env['HOME'] as string, '.config'))
  const paths = ['/etc/xr/config.toml', ...(home === undefined || !isAbsolute(home) ? [] : [join(home, 'xr', 'config.toml')])]
  return some(await Promise.all(paths.map((path) => readConfigFile(path, 'may-exist'))))
}

const some = (files: readonly (ConfigFile | undefined)[]): readonly ConfigFile[] => files.filter((file) => file !== undefined)

/** A variable that is empty counts as not set. */
const given = (text: string | undefined): string | undefined => (text === '' ? undefined : text)

function fromText(spec: SettingSpec, text: string | undefined, cwd: string): string | readonly string[] | undefined {
  if (text === undefined || spec.kind !== 'list') return inFolder(spec, text, cwd)
  return text.split(',').map((part) => part.trim()).filter((part) => part !== '')
}

const inFolder = ({ kind }: SettingSpec, value: string | readonly string[] | undefined, cwd: string): string | readonly string[] | undefined =>
  kind === 'path' && typeof value === 'string' ? resolve(cwd, value) : value

const defaults = (env: Environment): Readonly<Record<string, (() => string) | undefined>> => ({
  backend: defaultBackend,
  'mock-host': () => defaultMockHost(env),
  'run-dir': () => defaultRunDir(env),
})
