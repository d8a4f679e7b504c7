import type { MachineMap } from './memory.ts'

/** What else a saver needs of a PV guest. */
export interface PvView {
  readonly machine: MachineMap
  /** Frame of the guest's shared_info page; its p2m is found from there. */
  readonly sharedInfoFrame: number
}

/** What else a restorer does to a PV guest. */
export interface PvBuilder {
  readonly machine: MachineMap
  /** Frame of the shared_info page, once the width is set. */
  sharedInfoFrame(): Promise<number>
  /** Width of a guest word now. */
  width(): Promise<4 | 8>
  /** @throws BackendError BACKEND_UNSUPPORTED when the host cannot run guests of that width. */
  setWidth(width: 4 | 8): Promise<void>
  /**
   * Makes page tables what they say they are. At most 1024 a call.
   *
   * @throws BackendError BACKEND_PAGE_TABLE when an entry names a page that is not the guest's, or one in use as something else.
   */
  pin(tables: readonly { readonly level: 1 | 2 | 3 | 4; readonly mfn: number }[]): Promise<void>
}

/** The two rings every guest has towards its host. */
export interface RingPorts {
  /** Event channel and domain at the other end. */
  readonly store: { readonly port: number; readonly domId: number }
  readonly console: { readonly port: number; readonly domId: number }
}
