import type { DomainSummary } from '@xen-replication/hypervisor'
import type { Platform } from '../platform/platform.ts'
import { factsOf, findInfo, stateOf, type DomainInfo } from '../ports/domain-info.ts'

/** Domains of guests, in the order of their numbers. Those that libxl does not know, or no longer, are left out. */
export async function listDomains(platform: Platform): Promise<readonly DomainSummary[]> {
  const store = await platform.xenstore()
  const ids = (await store.list('/local/domain')).map(Number).filter((id) => Number.isInteger(id) && id > 0)
  const lines: DomainSummary[] = []
  for (const domId of ids.sort((a, b) => a - b)) {
    const name = await store.read(`/local/domain/${domId}/name`)
    const line = name === undefined ? undefined : lineOf(platform, domId, name)
    if (line !== undefined) lines.push(line)
  }
  return lines
}

/** @returns undefined for a domain that is gone, or goes while it is looked at. */
function lineOf(platform: Platform, domId: number, name: string): DomainSummary | undefined {
  const info = findInfo(platform, domId)
  if (info === undefined) return undefined
  try {
    return summary(platform, domId, info, name)
  } catch (error) {
    if (findInfo(platform, domId) === undefined) return undefined
    throw error
  }
}

function summary(platform: Platform, domId: number, info: DomainInfo, name: string): DomainSummary {
  return { ...factsOf(platform, domId, info), ...stateOf(info), name, uuid: uuidOf(info), pages: Number(info.pages), vcpus: info.onlineVcpus, cpuTime: info.cpuTime }
}

/** UUID of a domain, as `xl` writes it. */
export function uuidOf({ handle0, handle1, handle2, handle3 }: DomainInfo): string {
  const bytes = new DataView(new ArrayBuffer(16))
  for (const [i, word] of [handle0, handle1, handle2, handle3].entries()) bytes.setUint32(4 * i, word, true)
  const hex = Array.from({ length: 16 }, (_, i) => bytes.getUint8(i).toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
