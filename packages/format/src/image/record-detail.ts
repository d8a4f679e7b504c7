import { viewOf } from '../bytes/struct.ts'
import { pageTypeName, type PageData } from '../libxc/page-data.ts'
import { XC } from '../libxc/record-types.ts'
import { XL2 } from '../libxl/record-types.ts'
import type { RecordItem } from './item.ts'
import { EMULATOR_PEEK, summariseEmulator } from './summary-emulator.ts'

type Detail = (view: DataView, length: number) => string

const rows = (size: number, what: string): Detail => (_view, length) => `${length / size} ${what}`
const vcpu: Detail = (view, length) => `vCPU ${view.getUint32(0, true)}, ${length - 8} bytes`
const states = ['NEW', 'SVM_SUSPENDED', 'SVM_READY', 'SVM_RESUMED'] as const

/** What to say of a body by its first 8 bytes and its length. */
const libxc: Readonly<Record<number, Detail>> = {
  [XC.X86_PV_INFO]: (view) => `${8 * view.getUint8(0)}-bit guest, ${view.getUint8(1)} page-table levels`,
  [XC.X86_PV_P2M_FRAMES]: (view, length) => `pfns ${view.getUint32(0, true)} to ${view.getUint32(4, true)}, ${(length - 8) / 8} frames`,
  [XC.X86_PV_VCPU_BASIC]: vcpu,
  [XC.X86_PV_VCPU_EXTENDED]: vcpu,
  [XC.X86_PV_VCPU_XSAVE]: vcpu,
  [XC.X86_PV_VCPU_MSRS]: vcpu,
  [XC.X86_TSC_INFO]: (view) => `mode ${view.getUint32(0, true)}, ${view.getUint32(4, true)} kHz`,
  [XC.HVM_PARAMS]: (view) => `${view.getUint32(0, true)} parameters`,
  [XC.CHECKPOINT_DIRTY_PFN_LIST]: rows(8, 'pfns'),
  [XC.X86_CPUID_POLICY]: rows(24, 'leaves'),
  [XC.X86_MSR_POLICY]: rows(16, 'registers'),
}
const STATE_BYTES = 4
const FRONT = 8

/**
 * One line about what a record holds, empty when its name says all. Consumes nothing of the body.
 *
 * @param record that nobody has read yet.
 */
export async function recordDetail(record: RecordItem): Promise<string> {
  if (record.pages !== undefined) return pagesDetail(record.pages)
  if (record.layer === 'libxl') return libxlDetail(record)
  const detail = libxc[record.type]
  if (detail === undefined) return ''
  const front = await record.body.peek(FRONT)
  return front.length === FRONT ? detail(viewOf(front), record.length) : 'too short'
}

async function libxlDetail({ type, length, body }: RecordItem): Promise<string> {
  if (type === XL2.EMULATOR_CONTEXT) {
    const emulator = summariseEmulator(await body.peek(EMULATOR_PEEK), length)
    return emulator === undefined ? 'too short' : `${emulator.name}, ${emulator.bytes} bytes of state`
  }
  if (type !== XL2.CHECKPOINT_STATE) return ''
  const front = await body.peek(STATE_BYTES)
  if (front.length < STATE_BYTES) return 'too short'
  const state = viewOf(front).getUint32(0, true)
  return states[state] ?? `state ${state}`
}

function pagesDetail(pages: PageData): string {
  const types = new Map<number, number>()
  let low = Infinity
  let high = 0
  for (let i = 0; i < pages.count; i++) {
    const pfn = pages.pfn(i)
    const type = pages.type(i)
    low = Math.min(low, pfn)
    high = Math.max(high, pfn)
    types.set(type, (types.get(type) ?? 0) + 1)
  }
  const kinds = [...types].map(([type, count]) => `${count} ${pageTypeName(type)}`)
  return `pfns ${low} to ${high}: ${kinds.join(', ')}`
}
