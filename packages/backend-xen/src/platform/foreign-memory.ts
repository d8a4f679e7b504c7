/** Frames of a domain in our address space. */
export interface ForeignPages {
  /** Whole pages in the order asked for. Not to be touched after `unmap()`: the process would end. */
  readonly bytes: Uint8Array
  /** May be called twice. */
  unmap(): void
}

/** Maps memory of other domains. */
export interface ForeignMemory {
  /**
   * @param frames as the domain's kind counts them; valid during the call only.
   * @throws BackendError BACKEND_MAP when one of them cannot be mapped; none is then.
   */
  map(domId: number, frames: BigUint64Array, access: 'read' | 'write'): ForeignPages
  /** Maps the first frame of the guest's grant table for writing. @throws BackendError BACKEND_MAP, BACKEND_UNSUPPORTED */
  grantTable(domId: number): ForeignPages
  close(): void
}

/** Owner of memory that belongs to the hypervisor itself. Source: public/xen.h DOMID_XEN. */
export const DOMID_XEN = 0x7ff2
