/** First bytes of a QEMU migration stream, "QEVM". Source: QEMU, migration/savevm.h, QEMU_VM_FILE_MAGIC. */
export const QEMU_MAGIC = 0x5145564d
/** The only version since 2006. Source: QEMU_VM_FILE_VERSION. */
export const QEMU_VERSION = 3

/** What stands before each piece of a stream. Source: QEMU, migration/savevm.h, QEMU_VM_*. */
export const PIECE = {
  EOF: 0x00,
  START: 0x01,
  PART: 0x02,
  END: 0x03,
  FULL: 0x04,
  SUBSECTION: 0x05,
  DESCRIPTION: 0x06,
  CONFIGURATION: 0x07,
  COMMAND: 0x08,
  FOOTER: 0x7e,
} as const

/** Kinds of section by the byte that begins them. */
export const sectionKinds = new Map([
  [PIECE.START, 'start'],
  [PIECE.PART, 'part'],
  [PIECE.END, 'end'],
  [PIECE.FULL, 'full'],
] as const satisfies readonly (readonly [number, string])[])

export type SectionKind = 'start' | 'part' | 'end' | 'full'

/** Commands by number. Source: QEMU, migration/savevm.c, enum qemu_vm_cmd. */
const commandNames = [
  'invalid', 'open-return-path', 'ping', 'postcopy-advise', 'postcopy-listen', 'postcopy-run', 'postcopy-ram-discard', 'packaged', 'enable-colo', 'postcopy-resume', 'recv-bitmap',
] as const

/** The command that makes the receiver a COLO secondary. */
export const ENABLE_COLO = 8

/** @returns undefined for a number that has no name here */
export const qemuCommandName = (command: number): string | undefined => commandNames[command]

/** Flags in the low twelve bits of a word of RAM. Source: QEMU, migration/ram.c, RAM_SAVE_FLAG_*. */
export const RAM_FLAG = { ZERO: 0x02, MEM_SIZE: 0x04, PAGE: 0x08, EOS: 0x10, CONTINUE: 0x20 } as const

/** Name of the section that holds the guest's memory, and the version read here. */
export const RAM_SECTION = { name: 'ram', version: 4 } as const
