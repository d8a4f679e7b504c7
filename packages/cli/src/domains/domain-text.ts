import type { DomainSummary } from '@xen-replication/hypervisor'

const PAGE_BYTES = 4096

/** How a guest stands, in one word. */
export function stateText({ dying, paused, shutdown }: Pick<DomainSummary, 'dying' | 'paused' | 'shutdown'>): string {
  if (dying) return 'dying'
  if (shutdown !== undefined) return shutdown === 'suspend' ? 'suspended' : shutdown
  return paused ? 'paused' : 'running'
}

/** A guest as `--json` shows it. */
export function domainDocument(domain: DomainSummary): object {
  const { domId, name, uuid, kind, width, vcpus, pages, cpuTime, xen } = domain
  return { id: domId, name, uuid, type: kind, width: width === undefined ? undefined : width * 8, vcpus, memoryBytes: pages * PAGE_BYTES, state: stateText(domain), cpuSeconds: Number(cpuTime) / 1e9, xen: `${xen.major}.${xen.minor}` }
}
