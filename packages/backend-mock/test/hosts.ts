import { createMockHost, virtualClock, type GuestSpec, type MockHost, type MockHostOptions } from '@xen-replication/backend-mock'
import type { DomId, GuestForSave } from '@xen-replication/hypervisor'

export const MIB = 2 ** 20

/** Every kind of guest there is, small. */
export const everyKind: readonly (Omit<GuestSpec, 'name'> & { readonly title: string })[] = [
  { title: '64-bit PV, tree', kind: 'pv', width: 8, p2m: 'tree', balloonedPages: 70 },
  { title: '64-bit PV, linear list', kind: 'pv', width: 8, p2m: 'linear', balloonedPages: 70 },
  { title: '32-bit PV, tree', kind: 'pv', width: 4, p2m: 'tree', balloonedPages: 70 },
  { title: '32-bit PV, linear list', kind: 'pv', width: 4, p2m: 'linear', balloonedPages: 70 },
  { title: 'PVH', kind: 'pvh' },
  { title: 'HVM', kind: 'hvm' },
]

export interface Running {
  readonly host: MockHost
  readonly domId: DomId
}

/** A host on which one guest runs, and time stands still until told otherwise. */
export async function running(spec: Omit<GuestSpec, 'name'> & { readonly title?: string }, options: MockHostOptions = {}): Promise<Running> {
  const host = createMockHost({ clock: virtualClock(), ...options })
  return { host, domId: await host.createGuest({ memoryBytes: 4 * MIB, ...spec, name: 'demo' }) }
}

/** The same, opened to be saved. */
export async function opened(spec: Omit<GuestSpec, 'name'> & { readonly title?: string }, options: MockHostOptions = {}): Promise<Running & { readonly guest: GuestForSave }> {
  const all = await running(spec, options)
  return { ...all, guest: await all.host.openForSave(all.domId) }
}

/** Contents of all pages, by pfn; undefined where there is none. */
export function contents({ host, domId }: Running): Promise<readonly (Uint8Array | undefined)[]> {
  return host.inspect(domId, (guest) => {
    const pages: (Uint8Array | undefined)[] = new Array<undefined>(guest.top)
    for (const [start, count] of guest.runs) for (let pfn = start; pfn < start + count; pfn += 1) pages[pfn] = guest.page(pfn)?.slice()
    return pages
  })
}

/** A digest of all that a guest is: memory by pfn. */
export async function digest(at: Running): Promise<string> {
  const { createHash } = await import('node:crypto')
  const hash = createHash('sha1')
  ;(await contents(at)).forEach((page, pfn) => page !== undefined && hash.update(`${pfn} `).update(page)) // passes over holes
  return hash.digest('hex')
}
