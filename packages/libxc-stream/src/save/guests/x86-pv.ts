import { DOMAIN, x86PvInfo, x86PvP2mFrames, XC } from '@xen-replication/format'
import type { CpuState, GuestForSave, PvView } from '@xen-replication/hypervisor'
import { tableLevels, type GuestWidth } from '../../pv/guest-width.ts'
import { normaliseTable, type TableLayout } from '../../pv/page-table.ts'
import { SharedInfoView } from '../../pv/shared-info.ts'
import { findP2m, type FoundP2m } from '../pv/find-p2m.ts'
import { normaliseVcpu } from '../pv/vcpu-basic.ts'
import { recordParts } from '../record-parts.ts'
import { SaveError } from '../save-error.ts'
import type { GuestShape } from './guest-shape.ts'
import { tscRecord } from './tsc.ts'

/**
 * PV: pages are found by the guest's own p2m, page tables and registers hold machine frames that become pfns.
 *
 * @throws SaveError SAVE_P2M; BackendError
 */
export async function openPv(guest: GuestForSave, pv: PvView): Promise<GuestShape> {
  const width = guest.facts.width === 4 ? 4 : 8
  const mapped = await guest.memory.map([pv.sharedInfoFrame])
  try {
    const shared = new SharedInfoView(mapped.page(0), width)
    const found = await findP2m(guest.memory, pv, width, shared)
    return shapeOf(guest, pv, { width, shared, found, closeShared: () => mapped.close() })
  } catch (error) {
    mapped.close()
    throw error
  }
}

interface PvParts {
  readonly width: GuestWidth
  readonly shared: SharedInfoView
  readonly found: FoundP2m
  readonly closeShared: () => void
}

function shapeOf({ facts, cpu }: GuestForSave, { machine }: PvView, { width, shared, found, closeShared }: PvParts): GuestShape {
  const { p2m, leafPfns, generation } = found
  const layout: TableLayout = { width, compatFirstMfn: machine.compatFirstMfn }
  const pfnOf = (mfn: number): number => p2m.pfn(mfn)
  return {
    domainType: DOMAIN.PV,
    pages: p2m.pages,
    staticData: recordParts(XC.X86_PV_INFO, x86PvInfo.encode({ guestWidth: width, ptLevels: tableLevels(width) })),
    start: recordParts(XC.X86_PV_P2M_FRAMES, x86PvP2mFrames.encode({ startPfn: 0, endPfn: p2m.pages - 1, frames: leafPfns })),
    frame: (pfn) => p2m.mfn(pfn),
    normalise: (words, at, level) => normaliseTable(words, at, level, layout, pfnOf),
    verifyUnmoved: () => {
      if (generation !== undefined && shared.get('p2mGeneration') !== generation) throw moved()
    },
    tail: async () => [
      ...(await tscRecord(cpu)),
      ...recordParts(XC.SHARED_INFO, shared.page),
      ...(await vcpuRecords(cpu, facts.maxVcpuId, (context, id) => normaliseVcpu(context, id, width, pfnOf))),
    ],
    close: () => {
      found.close()
      closeShared()
    },
  }
}

const moved = (): SaveError =>
  new SaveError('SAVE_P2M_MOVED', 'the guest changed where its p2m lies', { hint: 'this is rare and passes: try again' })

/** Records of all vCPUs that are online; parts that a vCPU does not have are left out. */
async function vcpuRecords(cpu: CpuState, maxVcpuId: number, normalise: (context: Uint8Array, id: number) => Uint8Array): Promise<readonly Uint8Array[]> {
  const records: Uint8Array[] = []
  for (let id = 0; id <= maxVcpuId; id++) {
    const vcpu = await cpu.pvVcpu(id)
    if (vcpu === undefined) continue
    const front = new Uint8Array(8)
    new DataView(front.buffer).setUint32(0, id, true)
    const add = (type: number, part: Uint8Array): void => {
      if (part.length > 0) records.push(...recordParts(type, front, part))
    }
    add(XC.X86_PV_VCPU_BASIC, normalise(vcpu.context, id))
    add(XC.X86_PV_VCPU_EXTENDED, vcpu.extended)
    add(XC.X86_PV_VCPU_XSAVE, vcpu.xsave)
    add(XC.X86_PV_VCPU_MSRS, vcpu.msrs)
  }
  return records
}
