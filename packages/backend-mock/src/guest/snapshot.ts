import { PvSpace } from '../memory/pv-space.ts'
import type { Guest } from './guest.ts'
import type { GuestRecord } from './record.ts'

/** What is to be stored of a guest besides its memory, as it is at this moment. */
export function recordOf(guest: Guest): GuestRecord {
  const { record, pv, cpu, space } = guest
  return {
    ...record,
    width: pv?.width ?? record.width,
    pages: space.pages,
    populated: space instanceof PvSpace ? [] : space.runs(),
    timeline: guest.timeline,
    doneUs: guest.doneUs,
    pinned: pv?.types.pinned() ?? [],
    sharedInfo: pv?.sharedInfo.page.slice() ?? new Uint8Array(0),
    cpu: {
      tsc: cpu.tsc,
      cpuid: cpu.cpuid,
      msr: cpu.msr,
      params: [...cpu.params],
      context: cpu.context.slice(),
      vcpus: cpu.vcpus.map((vcpu) => (vcpu === undefined ? undefined : { ...vcpu, context: vcpu.context.slice() })),
    },
    model: guest.model,
  }
}
