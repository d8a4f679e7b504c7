import { viewOf } from '../bytes/struct.ts'
import { XC } from '../libxc/record-types.ts'
import type { RecordScene } from './scene.ts'

/** Bytes of a vcpu_guest_context by guest width. */
const CONTEXT_SIZE = new Map([
  [4, 2800],
  [8, 5168],
])

/** The four vCPU records share their header: number, reserved word. */
export function checkVcpu(scene: RecordScene, body: Uint8Array): void {
  const { record, image, report } = scene
  if (body.length < 8) return report('XC_VCPU_SHORT', `${record.name}, ${body.length} bytes`)
  const view = viewOf(body)
  const id = view.getUint32(0, true)
  if (view.getUint32(4, true) !== 0) report('XC_VCPU_RESERVED', record.name)
  if (body.length === 8) return report('XC_VCPU_EMPTY', record.name)
  if (!isKnown(scene, id)) return report('XC_VCPU_ID', `${record.name} of vCPU ${id}`)
  const blob = body.subarray(8)
  const detail = `vCPU ${id}, ${blob.length} bytes`
  switch (record.type) {
    case XC.X86_PV_VCPU_BASIC:
      if (blob.length !== CONTEXT_SIZE.get(image.width ?? 8)) report('XC_VCPU_BASIC_SIZE', detail)
      else image.vcpus.set(id, blob)
      break
    case XC.X86_PV_VCPU_EXTENDED:
      if (blob.length > 128) report('XC_VCPU_EXTENDED_SIZE', detail)
      break
    case XC.X86_PV_VCPU_XSAVE:
      if (blob.length < 16) report('XC_VCPU_XSAVE_SIZE', detail)
      break
    default:
      if (blob.length % 16 !== 0) report('XC_VCPU_MSRS_SIZE', detail)
  }
}

/** Numbers below this need no explanation. Source: XEN_LEGACY_MAX_VCPUS, the places in SHARED_INFO. */
const VCPUS_PLAUSIBLE = 32

/**
 * Whether the domain has this vCPU. Without a configuration the stream tells: savers write X86_PV_VCPU_BASIC first, in
 * ascending order, for every vCPU that is online.
 */
function isKnown({ record, image, vcpus }: RecordScene, id: number): boolean {
  if (vcpus !== undefined) return id < vcpus
  if (record.type === XC.X86_PV_VCPU_BASIC) return id < Math.max(VCPUS_PLAUSIBLE, image.vcpus.size + 1)
  return id === 0 || image.vcpus.get(id) !== undefined
}
