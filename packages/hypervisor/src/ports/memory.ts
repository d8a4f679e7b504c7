/** Frames of a guest in our address space, until `close()`; not to be touched after it. */
export interface MappedFrames {
  readonly count: number
  /**
   * The frames in their order, as views of whole pages: one where they lie side by side, several where they do not, so that
   * nobody copies to join them. They show what the guest goes on writing.
   */
  readonly views: readonly Uint8Array[]
  /** View of frame `i` of those asked for, 4096 bytes. */
  page(i: number): Uint8Array
  /** Unmaps; may be called twice. */
  close(): void
}

/** Most frames one call may ask about. Source: XEN_DOMCTL_getpageframeinfo3, 1024 entries. */
export const FRAMES_PER_CALL = 1024

/** Memory of a guest as the saver sees it. */
export interface GuestMemory {
  /** One above the highest gfn (HVM) in use; of a PV guest the saver finds out by its p2m. */
  frames(): Promise<number>
  /**
   * Types of at most 1024 frames. A frame that is not the guest's is XTAB.
   *
   * @throws BackendError BACKEND_MEMORY
   */
  types(frames: ArrayLike<number>): Promise<Uint8Array>
  /**
   * Maps frames read-only.
   *
   * @throws BackendError BACKEND_MAP when a single one of them cannot be mapped; none is then.
   */
  map(frames: ArrayLike<number>): Promise<MappedFrames>
}

/** Memory of a guest that is being built. */
export interface GuestBuilder {
  /**
   * Gives the guest memory at these pfns.
   *
   * @param order 0 for single pages, 9 for runs of 2 MiB, one per pfn, which is aligned to it.
   * @returns where they lie: mfns for PV, the pfns again for HVM; undefined when an order-9 run cannot be had.
   * @throws BackendError BACKEND_MEMORY when single pages cannot be had.
   */
  populate(pfns: ArrayLike<number>, order: 0 | 9): Promise<Float64Array | undefined>
  /** Maps frames for writing. @throws BackendError BACKEND_MAP */
  map(frames: ArrayLike<number>): Promise<MappedFrames>
}

/** Machine to physical, for PV guests: whose page a machine frame is. */
export interface MachineMap {
  /** Highest machine frame of the host. */
  readonly maxMfn: number
  /** pfn that `mfn` holds for whichever guest owns it; a value above every pfn when nobody does. `mfn` ≤ `maxMfn`. */
  pfn(mfn: number): number
  /** First frame of the machine-to-physical table that 32-bit guests see, for their top L2 table. */
  readonly compatFirstMfn: number | undefined
}
