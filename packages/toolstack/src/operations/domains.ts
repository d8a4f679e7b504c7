import { BackendError, type CreateRequest, type DomainSummary, type DomId, type HypervisorBackend } from '@xen-replication/hypervisor'
import { findDomain } from './find-domain.ts'
import type { Host } from './host.ts'

/** Guests of a host. */
export const listGuests = ({ backend }: Host): Promise<readonly DomainSummary[]> => backend.list()

/** Makes a guest out of nothing, on hosts that can. @throws BackendError BACKEND_UNSUPPORTED, BACKEND_NAME_TAKEN, BACKEND_MEMORY */
export async function createGuest({ backend }: Host, request: CreateRequest): Promise<DomId> {
  requireCapable(backend)
  return backend.create(request)
}

/** Ends a guest at once. @throws BackendError */
export async function destroyGuest({ backend }: Host, dom: string): Promise<DomainSummary> {
  const domain = await findDomain(backend, dom)
  await backend.lifecycle(domain.domId).destroy()
  return domain
}

function requireCapable({ name, capabilities }: HypervisorBackend): void {
  if (capabilities.has('create')) return
  throw new BackendError('BACKEND_UNSUPPORTED', `the backend '${name}' makes no guests of its own`, { hint: 'make the guest with the tools of that hypervisor; --backend mock makes simulated ones' })
}
