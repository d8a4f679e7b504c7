import { cr3ToPfn64, pfnToCr3of32, pfnToCr3of64 } from '@xen-replication/format'
import type { GuestWidth } from '../../pv/guest-width.ts'
import { NO_FRAME } from '../../pv/p2m.ts'
import { GDT_ENTRIES_MAX, GDT_ENTRIES_PER_PAGE, VCPU_CR1_64, VCPU_PLACES } from '../../pv/vcpu-places.ts'
import { hex, SaveError } from '../save-error.ts'
import { frameOfCr3 } from './find-p2m.ts'

const CR1_PRESENT = 1n

/**
 * A vCPU's context as images hold it: pfns in place of machine frames, all else as it is.
 *
 * @param context of the hypervisor; not changed.
 * @param pfnOf pfn of a machine frame; NO_FRAME when it is not the guest's.
 * @throws SaveError SAVE_VCPU
 */
export function normaliseVcpu(context: Uint8Array, id: number, width: GuestWidth, pfnOf: (mfn: number) => number): Uint8Array {
  const places = VCPU_PLACES[width]
  if (context.length !== places.size) throw badVcpu(id, `its context has ${context.length} bytes, ${places.size} belong to a guest of ${8 * width} bits`)
  const bytes = context.slice()
  const view = new DataView(bytes.buffer)
  const pfn = (mfn: number, what: string): number => {
    const found = pfnOf(mfn)
    if (found !== NO_FRAME) return found
    throw badVcpu(id, `${what} is frame ${hex(mfn)}, which is not the guest’s`)
  }
  const word = (at: number, what: string): void => {
    if (width === 8) view.setBigUint64(at, BigInt(pfn(Number(view.getBigUint64(at, true)), what)), true)
    else view.setUint32(at, pfn(view.getUint32(at, true), what), true)
  }
  if (id === 0) word(places.startInfo, 'start_info')
  const entries = width === 8 ? Number(view.getBigUint64(places.gdtEntries, true)) : view.getUint32(places.gdtEntries, true)
  if (entries > GDT_ENTRIES_MAX) throw badVcpu(id, `its GDT has ${entries} entries, the guest may use ${GDT_ENTRIES_MAX}`)
  for (let i = 0; i * GDT_ENTRIES_PER_PAGE < entries; i++) word(places.gdtFrames + i * width, `page ${i} of the GDT`)
  if (width === 8) roots64(view, pfn)
  else view.setUint32(places.cr3, pfnToCr3of32(pfn(frameOfCr3(BigInt(view.getUint32(places.cr3, true)), 4), 'cr3')), true)
  return bytes
}

function roots64(view: DataView, pfn: (mfn: number, what: string) => number): void {
  const { cr3 } = VCPU_PLACES[8]
  const convert = (value: bigint, what: string): bigint => pfnToCr3of64(BigInt(pfn(Number(cr3ToPfn64(value)), what)))
  view.setBigUint64(cr3, convert(view.getBigUint64(cr3, true), 'cr3'), true)
  const user = view.getBigUint64(VCPU_CR1_64, true)
  if (user !== 0n) view.setBigUint64(VCPU_CR1_64, convert(user, 'cr1') | CR1_PRESENT, true)
}

const badVcpu = (id: number, what: string): SaveError => new SaveError('SAVE_VCPU', `vCPU ${id}: ${what}`)
