import { list, raw, u32, u64, u8 } from '../bytes/field.ts'
import { struct, type StructOf } from '../bytes/struct.ts'
import { each } from '../frame/each.ts'
import { s8 } from '../frame/signed.ts'

// The page belongs to the guest, so every byte of it is kept, filler too.

const time = struct(32, {
  version: u32,
  pad0: u32,
  ...each(u64, 'tscTimestamp', 'systemTime'),
  tscToSystemMul: u32,
  tscShift: s8,
  flags: u8,
  pad1: raw(2),
})
const upcall = { evtchnUpcallPending: u8, evtchnUpcallMask: u8 }
const vcpuInfo64 = struct(64, { ...upcall, pad: raw(6), evtchnPendingSel: u64, cr2: u64, archPad: raw(8), time })
const vcpuInfo32 = struct(64, { ...upcall, pad: raw(2), evtchnPendingSel: u32, cr2: u32, archPad: raw(20), time })
const clock = each(u32, 'wcVersion', 'wcSec', 'wcNsec')
const p2m = ['maxPfn', 'frameListList', 'nmiReason', 'p2mCr3', 'p2mVaddr', 'p2mGeneration'] as const

/** The page that a 64-bit PV guest shares with Xen. `rest` has no meaning. Source: public xen.h, shared_info. */
export const sharedInfo64 = struct(4096, {
  vcpuInfo: list(32, vcpuInfo64),
  evtchnPending: raw(512),
  evtchnMask: raw(512),
  ...clock,
  wcSecHi: u32,
  ...each(u64, ...p2m),
  rest: raw(960),
})
export type SharedInfo64 = StructOf<typeof sharedInfo64>

/** The page that a 32-bit PV guest shares with Xen. */
export const sharedInfo32 = struct(4096, {
  vcpuInfo: list(32, vcpuInfo32),
  evtchnPending: raw(128),
  evtchnMask: raw(128),
  ...clock,
  ...each(u32, ...p2m),
  wcSecHi: u32,
  rest: raw(1752),
})
export type SharedInfo32 = StructOf<typeof sharedInfo32>
