import { xsaveFault } from '../cpu/xsave.ts'

/** Save records by number. Source: public arch-x86/hvm/save.h. */
export const SAVE = {
  END: 0, HEADER: 1, CPU: 2, PIC: 3, IOAPIC: 4, LAPIC: 5, LAPIC_REGS: 6, PCI_IRQ: 7, ISA_IRQ: 8, PCI_LINK: 9, PIT: 10, RTC: 11, HPET: 12, PMTIMER: 13, MTRR: 14,
  VIRIDIAN_DOMAIN: 15, CPU_XSAVE: 16, VIRIDIAN_VCPU: 17, VMCE_VCPU: 18, TSC_ADJUST: 19, CPU_MSR: 20,
} as const

export const MAGIC = 0x54381286
export const saveVersion = 1

/** Offsets in the CPU record. */
export const CPU_FIELDS = {
  rax: 512, rbx: 520, rsp: 568, rip: 640, rflags: 648, cr0: 656, cr3: 672, cr4: 680, dr6: 720, dr7: 728, selectors: 736, limits: 768, access: 888, star: 968, efer: 992, tsc: 1008, flags: 1024,
} as const

/** One record of a context; `body` is a view. */
export interface SaveEntry {
  readonly type: number
  readonly instance: number
  readonly body: Uint8Array
}

/** The records of a context up to and with END, or up to where it breaks off. */
export function* entries(context: Uint8Array): Generator<SaveEntry> {
  const view = new DataView(context.buffer, context.byteOffset, context.byteLength)
  for (let at = 0; at + 8 <= context.length; ) {
    const type = view.getUint16(at, true)
    const end = at + 8 + view.getUint32(at + 4, true)
    if (end > context.length) return
    yield { type, instance: view.getUint16(at + 2, true), body: context.subarray(at + 8, end) }
    if (type === SAVE.END) return
    at = end
  }
}

type LengthRule = readonly [rule: 'exact' | 'at most', bytes: number]

/** Length that Xen takes of each record, and how many instances there may be: one a vCPU, or so many. */
const RULES: Readonly<Record<number, readonly [LengthRule, instances: 'vcpus' | number]>> = {
  [SAVE.CPU]: [['at most', 1032], 'vcpus'],
  [SAVE.PIC]: [['exact', 8], 2],
  [SAVE.IOAPIC]: [['exact', 400], 1],
  [SAVE.LAPIC]: [['at most', 32], 'vcpus'],
  [SAVE.LAPIC_REGS]: [['exact', 1024], 'vcpus'],
  [SAVE.PCI_IRQ]: [['exact', 16], 1],
  [SAVE.ISA_IRQ]: [['exact', 8], 1],
  [SAVE.PCI_LINK]: [['exact', 8], 1],
  [SAVE.PIT]: [['exact', 56], 1],
  [SAVE.RTC]: [['at most', 24], 1],
  [SAVE.HPET]: [['at most', 1048], 1],
  [SAVE.PMTIMER]: [['exact', 8], 1],
  [SAVE.MTRR]: [['exact', 240], 'vcpus'],
  [SAVE.VIRIDIAN_DOMAIN]: [['at most', 32], 1],
  [SAVE.CPU_XSAVE]: [['at most', 0x10000], 'vcpus'],
  [SAVE.VIRIDIAN_VCPU]: [['at most', 216], 'vcpus'],
  [SAVE.VMCE_VCPU]: [['at most', 32], 'vcpus'],
  [SAVE.TSC_ADJUST]: [['exact', 8], 'vcpus'],
  [SAVE.CPU_MSR]: [['at most', 0x10000], 'vcpus'],
}

/** What Xen would say to a context; undefined when it is taken. Source: xen/common/hvm/save.c hvm_load and the load functions. */
export function contextFault(context: Uint8Array, vcpus: number): string | undefined {
  let last: number | undefined
  let first = true
  for (const entry of entries(context)) {
    const fault = first ? headerFault(entry) : entryFault(entry, vcpus)
    if (fault !== undefined) return fault
    first = false
    last = entry.type
  }
  if (last === undefined) return 'the context holds no record'
  return last === SAVE.END ? undefined : 'the context breaks off before its END'
}

function headerFault({ type, body }: SaveEntry): string | undefined {
  if (type !== SAVE.HEADER || body.length !== 24) return 'the context does not begin with a header'
  const view = viewOf(body)
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== saveVersion) return 'the header of the context has another magic or version'
  return undefined
}

function entryFault({ type, instance, body }: SaveEntry, vcpus: number): string | undefined {
  if (type === SAVE.END) return body.length === 0 ? undefined : 'END of the context is not empty'
  const rule = RULES[type]
  if (rule === undefined) return `save record ${type} is unknown`
  const [[how, bytes], instances] = rule
  if (how === 'exact' ? body.length !== bytes : body.length > bytes) return `save record ${type} has ${body.length} bytes instead of ${bytes}`
  if (instance >= (instances === 'vcpus' ? vcpus : instances)) return `save record ${type} is for instance ${instance}, which there is not`
  if (type === SAVE.CPU_XSAVE) return xsaveFault(body.subarray(8))
  if (type === SAVE.CPU_MSR && (body.length < 24 || body.length !== 8 + 16 * viewOf(body).getUint32(0, true))) return 'the count of save record 20 does not fit its length'
  return undefined
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
