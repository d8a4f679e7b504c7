import { struct } from '../bytes/struct.ts'
import { u64 } from '../bytes/field.ts'
import { opaque } from '../frame/codec.ts'
import { frontAndRest } from '../frame/front-and-rest.ts'
import { XC } from './record-types.ts'
import { vcpuRecord } from './vcpu-record.ts'

const front = struct(16, { xcr0: u64, xcr0Accum: u64 })

/** Extended processor state of one vCPU of a PV guest; `image` is an uncompressed XSAVE image, see `xsaveAreas()`, or nothing. */
export const x86PvVcpuXsave = vcpuRecord(
  XC.X86_PV_VCPU_XSAVE,
  'X86_PV_VCPU_XSAVE',
  frontAndRest({ what: 'X86_PV_VCPU_XSAVE', front, key: 'image', rest: opaque }),
)
