/** Memory of ours that the hypervisor may read and write: whole pages that never fault. Zero at first. */
export interface HypercallBuffer {
  readonly address: bigint
  /** Not to be touched after `free()`. */
  readonly bytes: Uint8Array
  /** May be called twice. */
  free(): void
}

/** The way to the hypervisor. What structures mean is not its business. */
export interface HypercallPort {
  /**
   * Makes a hypercall of at most five arguments.
   *
   * @returns what the hypervisor returned; below zero it is minus an errno.
   */
  call(number: number, ...args: readonly (number | bigint)[]): number
  allocate(bytes: number): HypercallBuffer
  close(): void
}

/** Hypercalls by number. Source: public/xen.h __HYPERVISOR_*. */
export const HYPERCALL = { memoryOp: 12, xenVersion: 17, mmuextOp: 26, schedOp: 29, hvmOp: 34, domctl: 36 } as const
