import { u64 } from '../../bytes/field.ts'
import { struct } from '../../bytes/struct.ts'
import { opaque } from '../../frame/codec.ts'
import { each } from '../../frame/each.ts'
import { frontAndRest } from '../../frame/front-and-rest.ts'

const front = struct(24, each(u64, 'xfeatureMask', 'xcr0', 'xcr0Accum'))

/** A vCPU's extended state; `image` as in X86_PV_VCPU_XSAVE. Source: public arch-x86/hvm/save.h, hvm_hw_cpu_xsave. */
export const cpuXsave = frontAndRest({ what: 'CPU_XSAVE', front, key: 'image', rest: opaque })
