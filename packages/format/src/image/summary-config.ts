import { textOfBytes } from '../frame/latin1.ts'

/** A disk as the guest's configuration has it; undefined where it does not say. */
export interface DiskSummary {
  readonly vdev: string | undefined
  readonly path: string | undefined
  readonly backend: string | undefined
  readonly format: string | undefined
}

/** A network card as the guest's configuration has it. */
export interface NicSummary {
  readonly mac: string | undefined
  readonly bridge: string | undefined
  readonly model: string | undefined
}

/** The configuration that `xl save` puts in front of the stream. */
export interface ConfigSummary {
  /** `json` is libxl's own form, `cfg` what an administrator writes; `unreadable` is neither. */
  readonly kind: 'json' | 'cfg' | 'unreadable'
  readonly bytes: number
  readonly name: string | undefined
  readonly uuid: string | undefined
  /** As written there: `pv`, `pvh` or `hvm`. */
  readonly type: string | undefined
  readonly maxVcpus: number | undefined
  /** Bytes. */
  readonly maxMemory: number | undefined
  /** Bytes. */
  readonly targetMemory: number | undefined
  readonly kernel: string | undefined
  readonly disks: readonly DiskSummary[]
  readonly nics: readonly NicSummary[]
  /** Lists of other devices by name, with their length. */
  readonly others: Readonly<Record<string, number>>
}

type Plain = { readonly [key: string]: unknown }

const KIB = 1024
const nothing = {
  name: undefined,
  uuid: undefined,
  type: undefined,
  maxVcpus: undefined,
  maxMemory: undefined,
  targetMemory: undefined,
  kernel: undefined,
  disks: [],
  nics: [],
  others: {},
}

/**
 * Reads what matters out of a configuration. It never fails: what is missing or of another kind is undefined.
 *
 * @param bytes the text, with or without the NUL at its end.
 * @param isJson what the header's flag says of it.
 */
export function summariseConfig(bytes: Uint8Array, isJson: boolean): ConfigSummary {
  const text = utf8Text(bytes).replace(/\0+$/, '')
  return { ...nothing, bytes: bytes.length, ...(isJson ? ofJson(text) : ofCfg(text)) }
}

function ofJson(text: string): Partial<ConfigSummary> & Pick<ConfigSummary, 'kind'> {
  const config = parsed(text)
  if (config === undefined) return { kind: 'unreadable' }
  const about = partOf(config, 'c_info')
  const built = partOf(config, 'b_info')
  return {
    kind: 'json',
    name: textOf(about, 'name'),
    uuid: textOf(about, 'uuid'),
    type: textOf(about, 'type'),
    maxVcpus: numberOf(built, 'max_vcpus', 1),
    maxMemory: numberOf(built, 'max_memkb', KIB),
    targetMemory: numberOf(built, 'target_memkb', KIB),
    kernel: textOf(built, 'kernel'),
    disks: partsOf(config, 'disks').map(diskOf),
    nics: partsOf(config, 'nics').map(nicOf),
    others: othersOf(config),
  }
}

const diskOf = (disk: Plain): DiskSummary => ({
  vdev: textOf(disk, 'vdev'),
  path: textOf(disk, 'pdev_path'),
  backend: textOf(disk, 'backend'),
  format: textOf(disk, 'format'),
})

const nicOf = (nic: Plain): NicSummary => ({
  mac: textOf(nic, 'mac'),
  bridge: textOf(nic, 'bridge'),
  model: textOf(nic, 'model'),
})

function othersOf(config: Plain): Readonly<Record<string, number>> {
  const lists = Object.entries(config).filter(([key, value]) => Array.isArray(value) && key !== 'disks' && key !== 'nics')
  return Object.fromEntries(lists.map(([key]) => [key, partsOf(config, key).length]))
}

/** The few settings of the administrator's form that stand alone on a line. */
function ofCfg(text: string): Partial<ConfigSummary> & Pick<ConfigSummary, 'kind'> {
  const setting = (key: string): string | undefined => new RegExp(`^\\s*${key}\\s*=\\s*["']?([^"'\\s#]+)`, 'm').exec(text)?.[1]
  const count = (key: string): number | undefined => finite(setting(key))
  const memory = count('memory')
  return {
    kind: 'cfg',
    name: setting('name'),
    uuid: setting('uuid'),
    type: setting('type') ?? setting('builder'),
    maxVcpus: count('maxvcpus') ?? count('vcpus'),
    targetMemory: memory === undefined ? undefined : memory * KIB * KIB,
    kernel: setting('kernel'),
  }
}

const finite = (text: string | undefined): number | undefined => (text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined)

function parsed(text: string): Plain | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isPlain(value) ? value : undefined
  } catch {
    return undefined
  }
}

const isPlain = (value: unknown): value is Plain => typeof value === 'object' && value !== null && !Array.isArray(value)

function partOf(from: Plain, key: string): Plain {
  const value = from[key]
  return isPlain(value) ? value : {}
}

function partsOf(from: Plain, key: string): readonly Plain[] {
  const value = from[key]
  return Array.isArray(value) ? value.filter(isPlain) : []
}

function textOf(from: Plain, key: string): string | undefined {
  const value = from[key]
  return typeof value === 'string' ? value : undefined
}

function numberOf(from: Plain, key: string, unit: number): number | undefined {
  const value = from[key]
  return typeof value === 'number' ? value * unit : undefined
}

/** UTF-8 as text; bytes that are not UTF-8 become a character each. */
function utf8Text(bytes: Uint8Array): string {
  const text = textOfBytes(bytes)
  try {
    return decodeURIComponent(text.replace(/[%\x80-\xff]/g, (c) => `%${c.charCodeAt(0).toString(16)}`))
  } catch {
    return text
  }
}
