import { reserved, u16, u32, u64, u8 } from '../bytes/field.ts'
import { struct } from '../bytes/struct.ts'
import { bodySizeError, opaque } from '../frame/codec.ts'
import { each } from '../frame/each.ts'
import { frontAndRest } from '../frame/front-and-rest.ts'
import { XC } from './record-types.ts'
import { vcpuRecord } from './vcpu-record.ts'

/** Longest payload that Xen takes, in bytes. Source: xg_sr_restore_x86_pv.c. */
const MAX = 128

/** Entry points and machine-check state. Source: public domctl.h, xen_domctl_ext_vcpucontext. */
const extended = struct(64, {
  ...each(u32, 'vcpu', 'size'),
  ...each(u64, 'syscall32CallbackEip', 'sysenterCallbackEip'),
  ...each(u16, 'syscall32CallbackCs', 'sysenterCallbackCs'),
  ...each(u8, 'syscall32DisablesEvents', 'sysenterDisablesEvents'),
  _res: reserved(2),
  ...each(u64, 'caps', 'mciCtl2Bank0', 'mciCtl2Bank1', 'mcgExtCtl'),
})

const whole = frontAndRest({ what: 'X86_PV_VCPU_EXTENDED', front: extended, key: 'rest', rest: opaque })

const blob: typeof whole = {
  ...whole,
  decode: (bytes) => {
    if (bytes.length > MAX) throw bodySizeError('X86_PV_VCPU_EXTENDED', '64 to 128 bytes after the vCPU number', bytes.length)
    return whole.decode(bytes)
  },
}
export type VcpuExtended = ReturnType<typeof blob.decode>

/** What Xen's `ext_vcpucontext` call gives for one vCPU of a PV guest; `rest` is what a longer version of it appends. */
export const x86PvVcpuExtended = vcpuRecord(XC.X86_PV_VCPU_EXTENDED, 'X86_PV_VCPU_EXTENDED', blob)
