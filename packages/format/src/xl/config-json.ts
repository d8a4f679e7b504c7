import { domainType, type ConfigSummary, type DiskSummary, type NicSummary } from './config-summary.ts'

// Source: libxl_types.idl, libxl_domain_config, and how libxl writes it as JSON (booleans as "True" and "False").

type Tree = Readonly<Record<string, unknown>>

/** Reads libxl's JSON. What is no JSON gives an empty summary. */
export function summariseJson(text: string): ConfigSummary {
  const config = parse(text)
  const create = tree(config, 'c_info')
  const build = tree(config, 'b_info')
  const type = domainType(string(create, 'type') ?? string(build, 'type'))
  return {
    kind: 'json',
    name: string(create, 'name'),
    uuid: string(create, 'uuid'),
    type,
    memoryKiB: number(build, 'target_memkb'),
    maxMemoryKiB: number(build, 'max_memkb'),
    vcpus: items(build, 'avail_vcpus').length || undefined,
    maxVcpus: number(build, 'max_vcpus'),
    ...bootOf(build, tree(build, `type.${type ?? ''}`)),
    onReboot: string(config, 'on_reboot'),
    onCrash: string(config, 'on_crash'),
    disks: items(config, 'disks').map(diskOf),
    nics: items(config, 'nics').map(nicOf),
  }
}

function parse(text: string): Tree {
  try {
    return asTree(JSON.parse(text))
  } catch {
    return {}
  }
}

type Boot = Pick<ConfigSummary, 'kernel' | 'ramdisk' | 'cmdline' | 'bootloader' | 'firmware'>

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

const asTree = (value: unknown): Tree => (typeof value === 'object' && value !== null ? (value as Tree) : {})
const tree = (of: Tree, key: string): Tree => asTree(of[key])
const items = (of: Tree, key: string): readonly Tree[] => (Array.isArray(of[key]) ? (of[key] as readonly unknown[]).map(asTree) : [])
const string = (of: Tree, key: string): string | undefined => (typeof of[key] === 'string' ? of[key] : undefined)
const number = (of: Tree, key: string): number | undefined => (Number.isSafeInteger(of[key]) ? (of[key] as number) : undefined)

function flag(value: unknown): boolean | undefined {
  if (value === 1 || value === true || value === 'True') return true
  return value === 0 || value === false || value === 'False' ? false : undefined
}
