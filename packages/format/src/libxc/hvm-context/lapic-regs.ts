import { reserved, u32, type Field } from '../../bytes/field.ts'
import { struct, type Fields } from '../../bytes/struct.ts'

/** Registers of the local APIC by their place on its page, in bytes. Source: Intel SDM volume 3, local APIC register address map. */
const registers = {
  0x20: 'id', 0x30: 'version', 0x80: 'tpr', 0x90: 'apr', 0xa0: 'ppr', 0xb0: 'eoi', 0xc0: 'rrd', 0xd0: 'ldr', 0xe0: 'dfr', 0xf0: 'svr',
  0x100: 'isr0', 0x110: 'isr1', 0x120: 'isr2', 0x130: 'isr3', 0x140: 'isr4', 0x150: 'isr5', 0x160: 'isr6', 0x170: 'isr7',
  0x180: 'tmr0', 0x190: 'tmr1', 0x1a0: 'tmr2', 0x1b0: 'tmr3', 0x1c0: 'tmr4', 0x1d0: 'tmr5', 0x1e0: 'tmr6', 0x1f0: 'tmr7',
  0x200: 'irr0', 0x210: 'irr1', 0x220: 'irr2', 0x230: 'irr3', 0x240: 'irr4', 0x250: 'irr5', 0x260: 'irr6', 0x270: 'irr7',
  0x280: 'esr', 0x2f0: 'lvtCmci', 0x300: 'icrLow', 0x310: 'icrHigh', 0x320: 'lvtTimer', 0x330: 'lvtThermal', 0x340: 'lvtPerformance',
  0x350: 'lvtLint0', 0x360: 'lvtLint1', 0x370: 'lvtError', 0x380: 'timerInitial', 0x390: 'timerCurrent', 0x3e0: 'timerDivide',
} as const
type Register = (typeof registers)[keyof typeof registers]
type Slots = { readonly [R in Register]: Field<number> }

const SLOT = 16

/** One after another, 16 bytes each: 32 bits of register, or nothing. */
function slots(): Slots {
  const fields: Record<string, Fields[string]> = {}
  for (let at = 0; at < 1024; at += SLOT) {
    const name = (registers as Readonly<Record<number, string>>)[at]
    if (name !== undefined) fields[name] = u32
    fields[`_${at}`] = reserved(name === undefined ? SLOT : SLOT - u32.size)
  }
  return fields as unknown as Slots
}

/** The register page of a vCPU's local APIC, as far as it is kept. Source: public arch-x86/hvm/save.h, hvm_hw_lapic_regs. */
export const lapicRegs = struct(1024, slots())
