/** Time stamp counter of a guest. Source: XEN_DOMCTL_gettscinfo. */
export interface TscInfo {
  /** 0 default, 1 always emulate, 2 never emulate. */
  readonly mode: number
  readonly khz: number
  readonly nsec: bigint
  readonly incarnation: number
}

/** CPU policy as stream bodies: leaves of 24 bytes, MSRs of 16. Empty when there is none. */
export interface CpuPolicy {
  readonly cpuid: Uint8Array
  readonly msr: Uint8Array
}

/** State of one PV vCPU, raw from the hypervisor, frame numbers being mfns. Empty parts are left out of a stream. */
export interface PvVcpu {
  /** vcpu_guest_context: 5168 bytes (64 bit) or 2800 (32 bit). */
  readonly context: Uint8Array
  /** ext_vcpucontext payload, at most 128 bytes. */
  readonly extended: Uint8Array
  /** xcr0, xcr0_accum, XSAVE image. */
  readonly xsave: Uint8Array
  /** Entries of 16 bytes. */
  readonly msrs: Uint8Array
}

/** State that a saver reads while the guest stands still. */
export interface CpuState {
  tsc(): Promise<TscInfo>
  policy(): Promise<CpuPolicy>
  /** HVM only: the hypervisor's save records. */
  hvmContext(): Promise<Uint8Array>
  /** HVM only: one parameter, 0 when unset. */
  hvmParam(index: number): Promise<bigint>
  /** PV only. @returns undefined for a vCPU that is offline. */
  pvVcpu(id: number): Promise<PvVcpu | undefined>
}

/** State that a restorer writes. */
export interface CpuStateWriter {
  setTsc(tsc: TscInfo): Promise<void>
  setPolicy(policy: CpuPolicy): Promise<void>
  setHvmContext(context: Uint8Array): Promise<void>
  setHvmParam(index: number, value: bigint): Promise<void>
  setPvVcpu(id: number, part: keyof PvVcpu, bytes: Uint8Array): Promise<void>
}
