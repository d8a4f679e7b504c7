import { domainHeaderCodec, IMAGE, imageHeaderCodec, XC } from '@xen-replication/format'
import type { GuestForSave } from '@xen-replication/hypervisor'
import type { GuestShape } from './guests/guest-shape.ts'
import { recordParts } from './record-parts.ts'

const VERSION = 3
const PAGE_SHIFT = 12

/** All that stands before the first page: headers, static data, and what the guest's kind adds. */
export async function imageStart({ facts, cpu }: GuestForSave, shape: GuestShape): Promise<readonly Uint8Array[]> {
  const { cpuid, msr } = await cpu.policy()
  return [
    imageHeaderCodec.encode({ marker: IMAGE.marker, id: IMAGE.id, version: VERSION, options: 0 }),
    domainHeaderCodec.encode({ type: shape.domainType, pageShift: PAGE_SHIFT, xenMajor: facts.xen.major, xenMinor: facts.xen.minor }),
    ...shape.staticData,
    ...unlessEmpty(XC.X86_CPUID_POLICY, cpuid),
    ...unlessEmpty(XC.X86_MSR_POLICY, msr),
    ...recordParts(XC.STATIC_DATA_END),
    ...shape.start,
  ]
}

const unlessEmpty = (type: number, body: Uint8Array): readonly Uint8Array[] => (body.length === 0 ? [] : recordParts(type, body))
