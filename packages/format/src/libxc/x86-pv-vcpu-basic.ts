import type { Json } from '../bytes/field.ts'
import { asObject, readStruct, writeStruct } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'
import { bodySizeError, type Codec } from '../frame/codec.ts'
import { XC } from './record-types.ts'
import { vcpuContext32, vcpuContext64, type VcpuContext32, type VcpuContext64 } from './vcpu-context.ts'
import { vcpuRecord } from './vcpu-record.ts'

/** A vCPU's registers; the layout follows the guest's width, and is told by the length. */
export type VcpuBasic =
  | { readonly layout: 'x86_64'; readonly context: VcpuContext64 }
  | { readonly layout: 'x86_32'; readonly context: VcpuContext32 }

const blob: Codec<VcpuBasic> = {
  decode: (bytes) => {
    if (bytes.length === vcpuContext64.size) return { layout: 'x86_64', context: readStruct(vcpuContext64, bytes) }
    if (bytes.length === vcpuContext32.size) return { layout: 'x86_32', context: readStruct(vcpuContext32, bytes) }
    throw bodySizeError('X86_PV_VCPU_BASIC', '5168 or 2800 bytes after the vCPU number', bytes.length)
  },
  encode: (value) => (value.layout === 'x86_64' ? writeStruct(vcpuContext64, value.context) : writeStruct(vcpuContext32, value.context)),
  toJson: (value) => ({
    layout: value.layout,
    context: value.layout === 'x86_64' ? vcpuContext64.toJson(value.context) : vcpuContext32.toJson(value.context),
  }),
  fromJson,
}

function fromJson(json: Json | undefined): VcpuBasic {
  const { layout, context } = asObject(json)
  if (layout === 'x86_64') return { layout, context: vcpuContext64.fromJson(context) }
  if (layout === 'x86_32') return { layout, context: vcpuContext32.fromJson(context) }
  throw new FormatError('FMT_JSON', 'the layout "x86_64" or "x86_32" wanted')
}

/** General, segment, control and debug registers of one vCPU of a PV guest. */
export const x86PvVcpuBasic = vcpuRecord(XC.X86_PV_VCPU_BASIC, 'X86_PV_VCPU_BASIC', blob)
