import { domainType, type ConfigContent } from './config-content.ts'

const MIB = 1024 * 1024

/** Reads the plain settings of an xl.cfg, a line each; lists such as disks are left out. Source: xl.cfg(5). */
export function contentOfText(text: string): ConfigContent {
  const settings = settingsOf(text)
  const string = (key: string): string | undefined => unquoted(settings.get(key))
  const number = (key: string): number | undefined => numberIn(settings.get(key))
  const memory = number('memory')
  const maxMemory = number('maxmem')
  return {
    name: string('name'),
    uuid: string('uuid'),
    type: domainType(string('type') ?? string('builder')),
    targetMemory: memory && memory * MIB,
    maxMemory: maxMemory && maxMemory * MIB,
    vcpus: number('vcpus'),
    maxVcpus: number('maxvcpus'),
    kernel: string('kernel'),
    ramdisk: string('ramdisk'),
    cmdline: string('cmdline') ?? string('extra'),
    bootloader: string('bootloader'),
    firmware: string('firmware') ?? string('bios'),
    onReboot: string('on_reboot'),
    onCrash: string('on_crash'),
    disks: [],
    nics: [],
    others: {},
  }
}

/** `key = value` by key, the last of the same key; comments go. */
function settingsOf(text: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>()
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=')
    const key = line.slice(0, Math.max(equals, 0)).trim()
    if (key !== '' && !key.startsWith('#')) settings.set(key, line.slice(equals + 1).trim())
  }
  return settings
}

/** What stands between the quotes that the value begins with, whatever follows. */
function unquoted(value: string | undefined): string | undefined {
  const quote = value?.charAt(0)
  if (value === undefined || (quote !== '"' && quote !== "'")) return undefined
  const end = value.indexOf(quote, 1)
  return end < 0 ? undefined : value.slice(1, end)
}

function numberIn(value: string | undefined): number | undefined {
  const digits = value === undefined ? undefined : /^["']?(\d{1,12})(?!\d)/.exec(value)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
