import { isReservedType } from '../libxc/page-data.ts'
import { QEMU_SIGNATURE, type LegacyGuest, type LegacyWidth } from './chunk-types.ts'
import type { LegacyEntries } from './entries.ts'
import type { ReportLegacy } from './legacy-error.ts'
import { onlineVcpus, type BatchStep, type ExtendedBlockStep, type LegacyStep, type QemuStep, type VcpuInfoStep } from './steps.ts'
import { readToolstack } from './toolstack.ts'

/** Pages that entries can name. */
const PAGES_MAX = 1n << 28n
const KNOWN_BLOCKS: readonly string[] = ['vcpu', 'extv', 'xcnt']

/** Judges the steps of one stream: all rules but those that the walk itself cannot do without, and those on compressed contents. */
export class LegacyJudge {
  readonly #report: ReportLegacy
  #guest: LegacyGuest = 'hvm'
  #width: LegacyWidth = 64
  #p2mSize = 0
  #contexts = 0
  #vcpuLists = 0
  #vcpu0 = false

  constructor(report: ReportLegacy) {
    this.#report = report
  }

  /** Bodies are left alone. */
  see(step: LegacyStep): void {
    switch (step.kind) {
      case 'start':
        this.#guest = step.guest
        this.#width = step.width
        this.#p2mSize = Number(step.p2mSize)
        if (step.p2mSize === 0n || step.p2mSize > PAGES_MAX) this.#report('LG_P2M_RANGE', step.offset, `${step.p2mSize} pages`)
        break
      case 'extended-block':
        this.#block(step)
        break
      case 'batch':
        this.#batch(step)
        break
      case 'vcpu-info':
        this.#vcpuInfo(step)
        break
      case 'hvm-param':
        if (this.#guest === 'pv') this.#report('LG_PARAM_IN_PV', step.offset, step.name)
        if (step.pad !== 0) this.#report('LG_PARAM_PAD', step.offset, step.name)
        break
      case 'enable-compression':
        this.#report('LG_COMPRESSION', step.offset)
        break
      case 'toolstack':
        this.#toolstack(step.data, step.offset)
        break
      case 'unmapped-pfns':
        if (!this.#vcpu0) this.#report('LG_VCPU0_MISSING', step.offset)
        break
      case 'vcpu': {
        const size = step.xsave?.data.length ?? 0
        if (size > 0 && size < 16) this.#report('LG_XSAVE_SHORT', step.offset, `${size} bytes`)
        break
      }
      case 'hvm-context':
        if (step.data.length === 0) this.#report('LG_CONTEXT_EMPTY', step.offset)
        break
      case 'qemu':
        this.#qemu(step)
    }
  }

  #block({ id, offset, data }: ExtendedBlockStep): void {
    if (!KNOWN_BLOCKS.includes(id)) this.#report('LG_EXT_UNKNOWN', offset, JSON.stringify(id))
    if (id === 'vcpu' && ++this.#contexts > 1) this.#report('LG_EXT_VCPU_TWICE', offset)
    if (id === 'extv' && data.length > 0) this.#report('LG_EXT_EXTV_SIZE', offset, `${data.length} bytes`)
    if (id === 'xcnt' && data.length > 4) this.#report('LG_EXT_XCNT_LONG', offset, `${data.length} bytes`)
  }

  #batch({ offset, entries }: BatchStep): void {
    const words = new Map<number, Set<number>>() // the types and upper halves that each pfn came with
    for (let i = 0; i < entries.count; i++) {
      if (entries.isFiller(i)) continue
      const pfn = entries.pfn(i)
      const word = entries.high(i) * 16 + entries.type(i)
      const others = words.get(pfn) ?? new Set()
      words.set(pfn, others)
      if (others.has(word)) this.#report('LG_BATCH_DUPLICATE', offset, `pfn ${pfn}`)
      else if (others.size > 0) this.#report('LG_BATCH_PFN_TWICE', offset, `pfn ${pfn}`)
      others.add(word)
      this.#entry(entries, i, offset)
    }
    if (words.size === 0) this.#report('LG_BATCH_FILLER', offset, `${entries.count} entries`)
  }

  #entry(entries: LegacyEntries, i: number, offset: number): void {
    const pfn = entries.pfn(i)
    if (isReservedType(entries.type(i))) this.#report('LG_PAGE_TYPE', offset, `type ${entries.type(i)} of pfn ${pfn}`)
    if (entries.high(i) !== 0) this.#report('LG_ENTRY_HIGH_BITS', offset, `entry ${i}`)
    if (this.#guest === 'pv' && pfn >= this.#p2mSize) this.#report('LG_PFN_RANGE', offset, `pfn ${pfn} of ${this.#p2mSize} pages`)
  }

  #vcpuInfo({ offset, maxId, bitmap }: VcpuInfoStep): void {
    const online = onlineVcpus(bitmap)
    this.#vcpu0 ||= online[0] === 0
    const last = online.at(-1) ?? 0
    if (maxId < 0) this.#report('LG_VCPU_NEGATIVE', offset, `${maxId}`)
    else if (last > maxId) this.#report('LG_VCPU_BITS', offset, `vCPU ${last} above ${maxId}`)
    if (++this.#vcpuLists > 1) this.#report('LG_VCPU_TWICE', offset)
  }

  #toolstack(data: Uint8Array, offset: number): void {
    if (data.length === 0) return
    const regions = readToolstack(data, this.#width, offset + 8, this.#report)
    if (regions.length > 0 && this.#guest === 'pv') this.#report('LG_TOOLSTACK_IN_PV', offset)
  }

  #qemu({ offset, signature, data }: QemuStep): void {
    if (signature !== QEMU_SIGNATURE.PLAIN) this.#report('LG_QEMU_KIND', offset, signature)
    const magic = String.fromCharCode(...data.subarray(0, 4))
    if (signature === QEMU_SIGNATURE.TO_END && magic !== 'QEVM') this.#report('LG_QEMU_MAGIC', offset)
  }
}
