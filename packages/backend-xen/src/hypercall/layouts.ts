import type { Layout } from './struct.ts'

/** Arguments of hypercalls whose form is stable. Source: public/memory.h, hvm/hvm_op.h, hvm/params.h, sched.h, xen.h. */
export const stable = {
  /** XENMEM_populate_physmap. */
  populate: { size: 32, fields: { extents: [0, 'u64'], count: [8, 'u64'], order: [16, 'u32'], flags: [20, 'u32'], domain: [24, 'u16'] } },
  /** XENMEM_maximum_gpfn. */
  maximumGpfn: { size: 2, fields: { domain: [0, 'u16'] } },
  /** XENMEM_machphys_mfn_list and XENMEM_machphys_compat_mfn_list. */
  machphysList: { size: 24, fields: { most: [0, 'u32'], list: [8, 'u64'], count: [16, 'u32'] } },
  /** HVMOP_set_param, HVMOP_get_param. */
  hvmParam: { size: 16, fields: { domain: [0, 'u16'], index: [4, 'u32'], value: [8, 'u64'] } },
  /** SCHEDOP_remote_shutdown. */
  remoteShutdown: { size: 8, fields: { domain: [0, 'u16'], reason: [4, 'u32'] } },
  /** struct mmuext_op. */
  mmuext: { size: 24, fields: { cmd: [0, 'u32'], mfn: [8, 'u64'], unused: [16, 'u64'] } },
} as const satisfies Readonly<Record<string, Layout>>

/** Commands of those hypercalls. */
export const COMMAND = {
  maximumRamPage: 2, machphysList: 5, populate: 6, maximumGpfn: 14, machphysCompatList: 25, // memory_op
  setParam: 0, getParam: 1, // hvm_op
  remoteShutdown: 4, // sched_op
} as const
