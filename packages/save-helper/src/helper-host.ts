import type { DomId, GuestForRestore, GuestForSave, RingPorts } from '@xen-replication/hypervisor'

/** What the helper needs of a host: guests that libxl has made, by number. */
export interface HelperHost {
  /**
   * A guest to be read. Suspending it and its device model are left to libxl, so nothing need be prepared for them.
   *
   * @throws BackendError
   */
  openForSave(domId: DomId): Promise<GuestForSave>
  /**
   * A domain that libxl has made, paused and empty.
   *
   * @param rings what libxl has allocated for it.
   * @returns the guest; its `close()` leaves the domain, which is libxl's to destroy. @throws BackendError
   */
  openForRestore(domId: DomId, rings: RingPorts): Promise<GuestForRestore>
  close(): Promise<void>
}
