import { BackendError, type DomainSummary, type HypervisorBackend } from '@xen-replication/hypervisor'
import { ToolstackError } from '../toolstack-error.ts'

/**
 * Finds a domain by its id, name or UUID, in this order.
 *
 * @throws BackendError BACKEND_NO_SUCH_DOMAIN; ToolstackError TOOL_AMBIGUOUS for the UUID of several: copies of one guest have the same
 */
export async function findDomain(backend: HypervisorBackend, dom: string): Promise<DomainSummary> {
  const domains = await backend.list()
  const found = domains.find(({ domId }) => String(domId) === dom) ?? domains.find(({ name }) => name === dom) ?? onlyOne(domains.filter(({ uuid }) => uuid.toLowerCase() === dom.toLowerCase()), dom)
  if (found !== undefined) return found
  const names = domains.map(({ name }) => name).join(', ')
  throw new BackendError('BACKEND_NO_SUCH_DOMAIN', `there is no domain '${dom}' on this host`, { hint: names === '' ? 'there is none at all' : `there are ${names}` })
}

function onlyOne(found: readonly DomainSummary[], uuid: string): DomainSummary | undefined {
  if (found.length < 2) return found[0]
  const which = found.map(({ name, domId }) => `${name} (${domId})`).join(', ')
  throw new ToolstackError('TOOL_AMBIGUOUS', `${found.length} guests have the UUID ${uuid}: ${which}`, { hint: 'give the name or the id of one of them' })
}

/** @throws ToolstackError TOOL_GUEST for a guest that cannot answer a request to suspend itself */
export function requireRunning({ name, dying, paused, shutdown }: DomainSummary): void {
  const what = dying ? 'is being destroyed' : shutdown !== undefined ? `does not run: ${shutdown}` : paused ? 'is paused, so that it cannot suspend itself' : undefined
  if (what !== undefined) throw new ToolstackError('TOOL_GUEST', `${name} ${what}`, { hint: '`xr list` tells how each guest stands' })
}

/** What others are told of it. */
export const factsOf = ({ name, domId, uuid }: DomainSummary): { readonly guest: string; readonly domId: number; readonly uuid: string } => ({ guest: name, domId, uuid })
