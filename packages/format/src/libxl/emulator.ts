import { u32 } from '../bytes/field.ts'
import { struct } from '../bytes/struct.ts'

/** Which device model an emulator record is for; it stands before the record's content. Source: libxl-migration-stream, "EMULATOR_*". */
export const emulatorHeader = struct(8, { emulator: u32, index: u32 })

const names: Readonly<Record<number, string>> = { 0: 'unknown', 1: 'qemu-traditional', 2: 'qemu' }

/** The device model's name, or undefined for a number that the specification does not have. */
export const emulatorName = (emulator: number): string | undefined => names[emulator]
