import { BackendError, PAGE_SIZE } from '@xen-replication/hypervisor'
import { ERRNO, errnoName } from '../hypercall/errno.ts'
import { refused } from '../hypercall/refused.ts'
import type { ForeignMemory, ForeignPages } from '../platform/foreign-memory.ts'
import { isPointer, openLibrary, type Koffi, type Pointer } from './libraries.ts'

/** PROT_READ, and with PROT_WRITE. */
const PROTECTION = { read: 1, write: 3 } as const
/** XENMEM_resource_grant_table and its part with the shared frames. */
const GRANT_TABLE = { type: 1, id: 0 } as const

interface Calls {
  readonly map: (handle: Pointer, domId: number, protection: number, count: number, frames: BigUint64Array, errors: Int32Array) => unknown
  readonly unmap: (handle: Pointer, at: Pointer, count: number) => number
  readonly mapResource: (handle: Pointer, domId: number, type: number, id: number, first: bigint, count: bigint, at: unknown[], protection: number, flags: number) => unknown
  readonly unmapResource: (handle: Pointer, resource: Pointer) => number
  readonly close: (handle: Pointer) => number
}

/** Foreign memory through libxenforeignmemory. */
export class NativeForeignMemory implements ForeignMemory {
  readonly #koffi: Koffi
  readonly #handle: Pointer
  readonly #calls: Calls
  #open = true

  /** @throws BackendError BACKEND_UNSUPPORTED, BACKEND_DENIED, BACKEND_HOST */
  constructor(koffi: Koffi) {
    const library = openLibrary(koffi, 'xenforeignmemory')
    this.#koffi = koffi
    this.#calls = {
      map: library.func('void *xenforeignmemory_map(void *h, uint32_t dom, int prot, size_t pages, const uint64_t *frames, int *err)'),
      unmap: library.func('int xenforeignmemory_unmap(void *h, void *addr, size_t pages)'),
      mapResource: library.func('void *xenforeignmemory_map_resource(void *h, uint16_t dom, uint32_t type, uint32_t id, unsigned long frame, unsigned long n, _Inout_ void **addr, int prot, int flags)'),
      unmapResource: library.func('int xenforeignmemory_unmap_resource(void *h, void *res)'),
      close: library.func('int xenforeignmemory_close(void *h)'),
    }
    const handle: unknown = library.func('void *xenforeignmemory_open(void *logger, uint32_t flags)')(null, 0)
    if (!isPointer(handle)) throw refused('BACKEND_HOST', 'memory of guests cannot be reached through /dev/xen/privcmd', koffi.errno(), '`xr doctor` tells what is missing')
    this.#handle = handle
  }

  map(domId: number, frames: BigUint64Array, access: 'read' | 'write'): ForeignPages {
    this.#check()
    const count = frames.length
    const errors = new Int32Array(count)
    const at = this.#calls.map(this.#handle, domId, PROTECTION[access], count, frames, errors)
    if (!isPointer(at)) throw refused('BACKEND_MAP', `${count} frames of domain ${domId} cannot be mapped`, this.#koffi.errno())
    const bad = errors.findIndex((error) => error !== 0)
    if (bad >= 0) {
      this.#calls.unmap(this.#handle, at, count)
      throw new BackendError('BACKEND_MAP', `frame 0x${(frames[bad] as bigint).toString(16)} of domain ${domId} cannot be mapped: ${errnoName(Math.abs(errors[bad] as number))}`)
    }
    return this.#pages(at, count, () => this.#calls.unmap(this.#handle, at, count))
  }

  grantTable(domId: number): ForeignPages {
    this.#check()
    const at: unknown[] = [null]
    const resource = this.#calls.mapResource(this.#handle, domId, GRANT_TABLE.type, GRANT_TABLE.id, 0n, 1n, at, PROTECTION.write, 0)
    if (!isPointer(resource) || !isPointer(at[0])) {
      const errno = this.#koffi.errno()
      throw refused(errno === ERRNO.EOPNOTSUPP ? 'BACKEND_UNSUPPORTED' : 'BACKEND_MAP', `the grant table of domain ${domId} cannot be mapped`, errno)
    }
    return this.#pages(at[0], 1, () => this.#calls.unmapResource(this.#handle, resource))
  }

  close(): void {
    if (this.#open) this.#calls.close(this.#handle)
    this.#open = false
  }

  #check(): void {
    if (!this.#open) throw new BackendError('BACKEND_STATE', 'the way to the memory of guests was closed')
  }

  #pages(at: Pointer, count: number, unmap: () => void): ForeignPages {
    const bytes = new Uint8Array(this.#koffi.view(at, count * PAGE_SIZE))
    let held = true
    return {
      bytes,
      unmap: () => {
        if (held && this.#open) unmap()
        held = false
      },
    }
  }
}
