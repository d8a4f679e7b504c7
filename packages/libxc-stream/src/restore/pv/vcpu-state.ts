import { viewOf, XC } from '@xen-replication/format'
import type { PvVcpu } from '@xen-replication/hypervisor'
import type { GuestWidth } from '../../pv/guest-width.ts'
import { VCPU_PLACES } from '../../pv/vcpu-places.ts'
import { recordName, type RecordHead } from '../record-head.ts'
import type { RecordRule } from '../record-rule.ts'
import { refused, type StreamPlace } from '../restore-error.ts'

type Part = keyof PvVcpu

/** A part of a vCPU's state, and the record that brought it. */
export interface VcpuPart {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly place: StreamPlace
}

/** The parts in the order in which Xen takes them. */
export const VCPU_PARTS: readonly Part[] = ['context', 'extended', 'xsave', 'msrs']

const FRONT = 8
const EXTENDED_MAX = 128
const XSAVE_MIN = 16
const MSR_ENTRY = 16

/** State of the vCPUs as it came, until the guest's memory is complete. */
export class VcpuStates {
  readonly #parts = new Map<number, Partial<Record<Part, VcpuPart>>>()
  readonly rules: ReadonlyMap<number, RecordRule>

  /**
   * @param maxVcpuId of the domain.
   * @param width of the domain's words at this moment.
   */
  constructor(maxVcpuId: number, width: () => GuestWidth) {
    const rule = (part: Part, check: (blob: Uint8Array, head: RecordHead) => void): RecordRule => ({
      check: (body, head) => {
        const blob = blobOf(body, head, maxVcpuId)
        if (blob.length > 0) check(blob, head)
      },
      apply: (body, head) => {
        if (body.length > FRONT) this.#put(viewOf(body).getUint32(0, true), part, { bytes: body.subarray(FRONT), place: head })
      },
    })
    const basic = rule('context', () => undefined)
    this.rules = new Map<number, RecordRule>([
      [XC.X86_PV_VCPU_BASIC, { ...basic, apply: (body, head) => (checkContext(body, head, width()), basic.apply(body, head)) }],
      [XC.X86_PV_VCPU_EXTENDED, rule('extended', checkExtended)],
      [XC.X86_PV_VCPU_XSAVE, rule('xsave', checkXsave)],
      [XC.X86_PV_VCPU_MSRS, rule('msrs', checkMsrs)],
    ])
  }

  get(id: number, part: Part): VcpuPart | undefined {
    return this.#parts.get(id)?.[part]
  }

  /** Numbers of the vCPUs that have state, ascending. */
  ids(): readonly number[] {
    return [...this.#parts.keys()].sort((a, b) => a - b)
  }

  #put(id: number, part: Part, state: VcpuPart): void {
    this.#parts.set(id, { ...this.#parts.get(id), [part]: state })
  }
}

/** What follows the vCPU's number; a record that ends there says nothing, whatever vCPU it names. */
function blobOf(body: Uint8Array, head: RecordHead, maxVcpuId: number): Uint8Array {
  if (body.length < FRONT) throw refused('XC_VCPU_SHORT', head, `${recordName(head)}, ${body.length} bytes`)
  const id = viewOf(body).getUint32(0, true)
  if (body.length > FRONT && id > maxVcpuId) throw refused('XC_VCPU_ID', head, `${recordName(head)} of vCPU ${id}, the highest is ${maxVcpuId}`)
  return body.subarray(FRONT)
}

/** The guest's width decides, which is known once the record is used. */
function checkContext({ length }: Uint8Array, head: RecordHead, width: GuestWidth): void {
  const wanted = FRONT + VCPU_PLACES[width].size
  if (length !== FRONT && length !== wanted) throw refused('XC_VCPU_BASIC_SIZE', head, `${length} bytes, ${wanted} belong to a guest of ${8 * width} bits`)
}

function checkExtended({ length }: Uint8Array, head: RecordHead): void {
  if (length > EXTENDED_MAX) throw refused('XC_VCPU_EXTENDED_SIZE', head, `${length} bytes`)
}

function checkXsave({ length }: Uint8Array, head: RecordHead): void {
  if (length < XSAVE_MIN) throw refused('XC_VCPU_XSAVE_SIZE', head, `${length} bytes`)
}

function checkMsrs({ length }: Uint8Array, head: RecordHead): void {
  if (length % MSR_ENTRY !== 0) throw refused('XC_VCPU_MSRS_SIZE', head, `${length} bytes`)
}
