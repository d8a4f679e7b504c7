import { DOMAIN, hvmParams, savedHvmParams, XC, type HvmParam } from '@xen-replication/format'
import type { CpuState, GuestForSave } from '@xen-replication/hypervisor'
import { recordParts } from '../record-parts.ts'
import type { GuestShape } from './guest-shape.ts'
import { tscRecord } from './tsc.ts'

/** HVM and PVH: pages go as they are, under the numbers that the guest itself uses. */
export async function openHvm({ memory, cpu }: GuestForSave): Promise<GuestShape> {
  const pages = await memory.frames()
  return {
    domainType: DOMAIN.HVM,
    pages,
    staticData: [],
    start: [],
    frame: undefined,
    normalise: undefined,
    verifyUnmoved: () => undefined,
    tail: () => tail(cpu),
    close: () => undefined,
  }
}

/** Context before parameters, the other way round than the specification says: so does Xen's saver, and every restorer copes. */
async function tail(cpu: CpuState): Promise<readonly Uint8Array[]> {
  return [...(await tscRecord(cpu)), ...recordParts(XC.HVM_CONTEXT, await cpu.hvmContext()), ...(await paramsRecord(cpu))]
}

async function paramsRecord(cpu: CpuState): Promise<readonly Uint8Array[]> {
  const set: HvmParam[] = []
  for (const index of savedHvmParams) {
    const value = await cpu.hvmParam(index)
    if (value !== 0n) set.push({ index: BigInt(index), value })
  }
  return set.length === 0 ? [] : recordParts(XC.HVM_PARAMS, hvmParams.encode(set))
}
