import { list, reserved, u64, u8 } from '../../bytes/field.ts'
import { struct } from '../../bytes/struct.ts'
import { each } from '../../frame/each.ts'

// Source of all: public arch-x86/hvm/save.h.

/** A vCPU's memory types. `msrMtrrVar` is base and mask by turns. */
export const mtrr = struct(240, { msrPatCr: u64, msrMtrrVar: list(16, u64), msrMtrrFixed: list(11, u64), ...each(u64, 'msrMtrrCap', 'msrMtrrDefType') })

/** A vCPU's machine-check state. */
export const vmceVcpu = struct(32, each(u64, 'caps', 'mciCtl2Bank0', 'mciCtl2Bank1', 'mcgExtCtl'))

/** What Windows guests have set up with the hypervisor, for the domain. */
export const viridianDomain = struct(32, each(u64, 'hypercallGpa', 'guestOsId', 'timeRefCount', 'referenceTsc'))

/** The same for a vCPU. */
export const viridianVcpu = struct(216, {
  vpAssistMsr: u64,
  apicAssistPending: u8,
  _pad: reserved(7),
  simpMsr: u64,
  sintMsr: list(16, u64),
  stimerConfigMsr: list(4, u64),
  stimerCountMsr: list(4, u64),
})
