import { list, raw, reserved, u16, u32, u64, u8 } from '../../bytes/field.ts'
import { struct } from '../../bytes/struct.ts'
import { each } from '../../frame/each.ts'
import { s64 } from '../../frame/signed.ts'

// Source of all: public arch-x86/hvm/save.h.

const channel = struct(16, {
  count: u32,
  latchedCount: u16,
  ...each(u8, 'countLatched', 'statusLatched', 'status', 'readState', 'writeState', 'writeLatch', 'rwMode', 'mode', 'bcd', 'gate'),
})

/** The 8254 timer. */
export const pit = struct(56, { channels: list(3, channel), speakerDataOn: u32, _pad: reserved(4) })

/** The clock with its CMOS bytes. `rtcOffset` is seconds from the host's time. */
export const rtc = struct(24, { cmosData: raw(14), cmosIndex: u8, _pad: reserved(1), rtcOffset: s64 })

const comparator = struct(32, { ...each(u64, 'config', 'cmp', 'fsb'), _res: reserved(8) })

/** The high-precision timer's register page, then the periods last written. */
export const hpet = struct(1048, {
  capability: u64,
  _res0: reserved(8),
  config: u64,
  _res1: reserved(8),
  isr: u64,
  _res2: reserved(200),
  mc64: u64,
  _res3: reserved(8),
  timers: list(3, comparator),
  _res5: reserved(672),
  period: list(3, u64),
})

/** The ACPI timer. */
export const pmtimer = struct(8, { tmrVal: u32, pm1aSts: u16, pm1aEn: u16 })

/** What is added to a vCPU's time stamp counter. */
export const tscAdjust = struct(8, { tscAdjust: u64 })
