import { domainType, type ConfigContent, type DiskSummary, type NicSummary } from './config-content.ts'

// Source: libxl_types.idl, libxl_domain_config, and how libxl writes it as JSON (booleans as "True" and "False").

type Tree = Readonly<Record<string, unknown>>

const KIB = 1024

/** The value that a JSON text stands for, undefined when it is none. */
export function parseConfig(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Reads libxl's JSON. @param json from `parseConfig()`; anything may be there. */
export function contentOfJson(json: unknown): ConfigContent {
  const config = asTree(json)
  const create = tree(config, 'c_info')
  const build = tree(config, 'b_info')
  const type = domainType(string(create, 'type') ?? string(build, 'type'))
  return {
    name: string(create, 'name'),
    uuid: string(create, 'uuid'),
    type,
    targetMemory: number(build, 'target_memkb', KIB),
    maxMemory: number(build, 'max_memkb', KIB),
    vcpus: items(build, 'avail_vcpus').length || undefined,
    maxVcpus: number(build, 'max_vcpus'),
    ...bootOf(build, tree(build, `type.${type ?? ''}`)),
    onReboot: string(config, 'on_reboot'),
    onCrash: string(config, 'on_crash'),
    disks: items(config, 'disks').map(diskOf),
    nics: items(config, 'nics').map(nicOf),
    others: othersIn(config),
  }
}

type Boot = Pick<ConfigContent, 'kernel' | 'ramdisk' | 'cmdline' | 'bootloader' | 'firmware'>

/** Older versions of libxl keep these with the guest's type. */
function bootOf(build: Tree, byType: Tree): Boot {
  const either = (key: string): string | undefined => string(build, key) ?? string(byType, key)
  return {
    kernel: either('kernel'),
    ramdisk: either('ramdisk'),
    cmdline: either('cmdline'),
    bootloader: either('bootloader'),
    firmware: either('firmware') ?? either('bios'),
  }
}

const diskOf = (disk: Tree): DiskSummary => ({
  vdev: string(disk, 'vdev'),
  path: string(disk, 'pdev_path'),
  backend: string(disk, 'backend'),
  format: string(disk, 'format'),
  writable: flag(disk['readwrite']),
})

const nicOf = (nic: Tree): NicSummary => ({ mac: string(nic, 'mac'), bridge: string(nic, 'bridge'), model: string(nic, 'model') })

/** How many there are of each other kind of device. */
function othersIn(config: Tree): ConfigContent['others'] {
  const kinds = Object.keys(config).filter((key) => Array.isArray(config[key]) && key !== 'disks' && key !== 'nics')
  return Object.fromEntries(kinds.map((kind) => [kind, items(config, kind).length]))
}

const asTree = (value: unknown): Tree => (typeof value === 'object' && value !== null ? (value as Tree) : {})
const tree = (of: Tree, key: string): Tree => asTree(of[key])
const items = (of: Tree, key: string): readonly Tree[] => (Array.isArray(of[key]) ? (of[key] as readonly unknown[]).map(asTree) : [])
const string = (of: Tree, key: string): string | undefined => (typeof of[key] === 'string' ? of[key] : undefined)
const number = (of: Tree, key: string, unit = 1): number | undefined => (Number.isSafeInteger(of[key]) ? (of[key] as number) * unit : undefined)

function flag(value: unknown): boolean | undefined {
  if (value === 1 || value === true || value === 'True') return true
  return value === 0 || value === false || value === 'False' ? false : undefined
}
