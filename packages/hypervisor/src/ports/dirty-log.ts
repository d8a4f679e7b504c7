/** Pages written since the last look. Index space: gfn for HVM, pfn for PV. */
export interface DirtyPages {
  /** Bit n of byte n/8 is pfn n. Valid until the next call. */
  readonly bitmap: Uint8Array
  /** Hypervisor's estimate of how many; not the number of bits. */
  readonly estimate: number
}

/** Log-dirty mode of one guest. */
export interface DirtyLog {
  /** Turns tracking on. @throws BackendError BACKEND_LOG_DIRTY, BACKEND_UNSUPPORTED */
  enable(): Promise<void>
  /**
   * Fetches and clears.
   *
   * @param pages size of the bitmap in pages.
   * @param last the guest stands still: pages the hypervisor itself has mapped writable count as written.
   * @throws BackendError BACKEND_LOG_DIRTY when bits were lost: the save must fail then.
   */
  take(pages: number, last?: 'last'): Promise<DirtyPages>
  /** Fetches and clears nothing. */
  peek(pages: number): Promise<DirtyPages>
  /** Turns tracking off; may be called twice. */
  disable(): Promise<void>
}
