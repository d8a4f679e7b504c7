import type { GuestKind } from '@xen-replication/hypervisor'

/** What a host reads in a guest's configuration; whatever it does not say is undefined. */
export interface ConfigFacts {
  readonly uuid: string | undefined
  readonly vcpus: number | undefined
  readonly memoryKiB: number | undefined
  readonly videoKiB: number | undefined
}

interface Json {
  readonly [key: string]: unknown
}

/** Reads libxl JSON; of the older `key = value` text the few words that matter. */
export function readConfig(text: string): ConfigFacts {
  const json = parse(text)
  if (json === undefined) {
    const megabytes = numberIn(text, /^\s*(?:maxmem|memory)\s*=\s*['"]?(\d+)/m)
    return { uuid: /^\s*uuid\s*=\s*['"]([^'"]+)/m.exec(text)?.[1], vcpus: numberIn(text, /^\s*(?:maxvcpus|vcpus)\s*=\s*['"]?(\d+)/m), memoryKiB: megabytes === undefined ? undefined : megabytes * 1024, videoKiB: undefined }
  }
  const created = partOf(json, 'c_info')
  const built = partOf(json, 'b_info')
  return { uuid: typeof created['uuid'] === 'string' ? created['uuid'] : undefined, vcpus: count(built['max_vcpus']), memoryKiB: count(built['max_memkb']), videoKiB: count(built['video_memkb']) }
}

/** The configuration with the guest's present name in it. */
export function nameInConfig(text: string, name: string): string {
  const json = parse(text)
  return json === undefined || partOf(json, 'c_info')['name'] === name ? text : JSON.stringify({ ...json, c_info: { ...partOf(json, 'c_info'), name } }, null, 4)
}

/** Configuration of a guest that was made here. */
export function createConfig(guest: { readonly kind: GuestKind; readonly name: string; readonly uuid: string; readonly vcpus: number; readonly memoryBytes: number; readonly nics: number; readonly disks: number }): string {
  const kilobytes = guest.memoryBytes / 1024
  const typed = { pv: {}, pvh: {}, hvm: { nographic: 'True', vga: { kind: 'none' }, vnc: { enable: 'False' }, sdl: {}, spice: {}, rdm: {} } }[guest.kind]
  const list = <T>(length: number, item: (n: number) => T): T[] => Array.from({ length }, (_, n) => item(n))
  const config = {
    c_info: { type: guest.kind, name: guest.name, uuid: guest.uuid, run_hotplug_scripts: 'True' },
    b_info: {
      max_vcpus: guest.vcpus,
      avail_vcpus: list(guest.vcpus, (n) => n),
      max_memkb: kilobytes,
      target_memkb: kilobytes,
      video_memkb: 0,
      sched_params: { sched: 'credit2', weight: 256, cap: 0 },
      claim_mode: 'True',
      [`type.${guest.kind}`]: typed,
      arch_arm: {},
      arch_x86: { msr_relaxed: 'False' },
    },
    ...(guest.disks === 0 ? {} : { disks: list(guest.disks, (n) => ({ pdev_path: `/dev/simulated/${guest.name}-${n}`, vdev: `xvd${String.fromCharCode(97 + n)}`, backend: 'phy', format: 'raw', readwrite: 1 })) }),
    ...(guest.nics === 0 ? {} : { nics: list(guest.nics, (n) => ({ devid: n, mac: `00:16:3e:00:00:${n.toString(16).padStart(2, '0')}`, bridge: 'xenbr0' })) }),
    on_reboot: 'restart',
    on_crash: 'preserve',
    on_soft_reset: 'soft_reset',
  }
  return JSON.stringify(config, null, 4)
}

function parse(text: string): Json | undefined {
  try {
    const json: unknown = JSON.parse(text.replace(/\0+$/, ''))
    return isJson(json) ? json : undefined
  } catch {
    return undefined
  }
}

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const partOf = (json: Json, key: string): Json => (isJson(json[key]) ? json[key] : {})
const count = (value: unknown): number | undefined => (typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined)
const numberIn = (text: string, pattern: RegExp): number | undefined => {
  const found = pattern.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}
