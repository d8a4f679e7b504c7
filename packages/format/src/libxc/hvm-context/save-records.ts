import { struct, type Fields, type Struct } from '../../bytes/struct.ts'
import { structCodec, type Codec } from '../../frame/codec.ts'
import { cpu, cpuCompat } from './cpu.ts'
import { cpuMsr } from './cpu-msr.ts'
import { cpuXsave } from './cpu-xsave.ts'
import { header } from './header.ts'
import { ioapic, isaIrq, lapic, lapicCompat, pciIrq, pciLink, pic } from './interrupt-controllers.ts'
import { lapicRegs } from './lapic-regs.ts'
import { mtrr, viridianDomain, viridianVcpu, vmceVcpu } from './machine-state.ts'
import { hpet, pit, pmtimer, rtc, tscAdjust } from './timers.ts'

interface Layout {
  /** Body length in bytes; undefined when the body tells. */
  readonly size: number | undefined
  readonly codec: Codec<unknown>
}
const fixed = <F extends Fields>(layout: Struct<F>): Layout => ({ size: layout.size, codec: structCodec('HVM save record', layout) })
const open = (codec: Codec<unknown>): Layout => ({ size: undefined, codec })

/** Name and layouts by typecode, which is the place in this list. Source: public arch-x86/hvm/save.h. */
const table: readonly (readonly [name: string, ...layouts: readonly Layout[]])[] = [
  ['END', fixed(struct(0, {}))],
  ['HEADER', fixed(header)],
  ['CPU', fixed(cpu), fixed(cpuCompat)],
  ['PIC', fixed(pic)],
  ['IOAPIC', fixed(ioapic)],
  ['LAPIC', fixed(lapic), fixed(lapicCompat)],
  ['LAPIC_REGS', fixed(lapicRegs)],
  ['PCI_IRQ', fixed(pciIrq)],
  ['ISA_IRQ', fixed(isaIrq)],
  ['PCI_LINK', fixed(pciLink)],
  ['PIT', fixed(pit)],
  ['RTC', fixed(rtc)],
  ['HPET', fixed(hpet)],
  ['PMTIMER', fixed(pmtimer)],
  ['MTRR', fixed(mtrr)],
  ['VIRIDIAN_DOMAIN', fixed(viridianDomain)],
  ['CPU_XSAVE', open(cpuXsave)],
  ['VIRIDIAN_VCPU', fixed(viridianVcpu)],
  ['VMCE_VCPU', fixed(vmceVcpu)],
  ['TSC_ADJUST', fixed(tscAdjust)],
  ['CPU_MSR', open(cpuMsr)],
]

/** Typecodes that readers of a context ask for. */
export const HVM_SAVE_CODE = { END: 0, HEADER: 1, CPU: 2, LAPIC: 5, LAPIC_REGS: 6, MTRR: 14, CPU_XSAVE: 16, TSC_ADJUST: 19, CPU_MSR: 20 } as const

/** The record's name, or undefined for a typecode that Xen does not have. */
export const hvmSaveName = (typecode: number): string | undefined => table[typecode]?.[0]

/** What a save record of this typecode and length holds; undefined when it is unknown, or of an unknown version. @param length of its body, in bytes. */
export function hvmSaveCodec(typecode: number, length: number): Codec<unknown> | undefined {
  const [, ...layouts] = table[typecode] ?? ['']
  return layouts.find(({ size }) => size === undefined || size === length)?.codec
}
