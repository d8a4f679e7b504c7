import { list, raw, reserved, u32, u64, u8 } from '../../bytes/field.ts'
import { struct } from '../../bytes/struct.ts'
import { bits } from '../../frame/bits.ts'
import { each } from '../../frame/each.ts'

// Source of all: public arch-x86/hvm/save.h.

/** One of the two 8259 interrupt controllers. */
export const pic = struct(8, {
  ...each(u8, 'irr', 'imr', 'isr', 'irqBase'),
  init: bits({ initState: 4, priorityAdd: 4 }),
  modes: bits({ readselIsr: 1, poll: 1, autoEoi: 1, rotateOnAutoEoi: 1, specialFullyNested: 1, specialMask: 1, isMaster: 1, spare: 1 }),
  ...each(u8, 'elcr', 'intOutput'),
})

/** The I/O APIC with its 48 redirection entries. */
export const ioapic = struct(400, { baseAddress: u64, ioregsel: u32, id: u32, redirtbl: list(48, u64) })

const lapicStart = { apicBaseMsr: u64, ...each(u32, 'disabled', 'timerDivisor'), tdtMsr: u64 }

/** What a vCPU's local APIC holds beside its registers. */
export const lapic = struct(32, { ...lapicStart, x2apicId: u32, _res: reserved(4) })
/** The same as Xen wrote it up to 4.19. */
export const lapicCompat = struct(24, lapicStart)

/** INTx lines of the PCI bus, one bit each: device * 4 + line. */
export const pciIrq = struct(16, { lines: raw(16) })
/** Lines of the ISA devices, one bit each. */
export const isaIrq = struct(8, { lines: u64 })
/** To which interrupt the four PCI links go. */
export const pciLink = struct(8, { route: list(4, u8), _pad: reserved(4) })
