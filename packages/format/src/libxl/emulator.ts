import { u32 } from '../bytes/field.ts'
import { struct } from '../bytes/struct.ts'

/** Which device model an emulator record is for; it stands before the record's content. Source: libxl-migration-stream, "EMULATOR_*". */
export const emulatorHeader = struct(8, { emulator: u32, index: u32 })

/** Numbers of device models. */
export const EMULATOR = { UNKNOWN: 0, QEMU_TRADITIONAL: 1, QEMU: 2 } as const

const names: Readonly<Record<number, string>> = {
  [EMULATOR.UNKNOWN]: 'unknown',
  [EMULATOR.QEMU_TRADITIONAL]: 'qemu-traditional',
  [EMULATOR.QEMU]: 'qemu',
}

/** The device model's name, or undefined for a number that the specification does not have. */
export const emulatorName = (emulator: number): string | undefined => names[emulator]
