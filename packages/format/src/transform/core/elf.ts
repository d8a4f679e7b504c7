import { raw, u16, u32, u64, u8 } from '../../bytes/field.ts'
import { struct, writeStruct } from '../../bytes/struct.ts'
import { joined } from '../../bytes/joined.ts'
import { REGISTERS_32, REGISTERS_64, type Registers } from './registers.ts'

// Source: System V ABI, "Object Files"; core(5); Linux include/uapi/linux/elfcore.h.

/** Word size of an ELF file. */
export type ElfClass = 32 | 64

/** A part of the file that is memory. */
export interface Segment {
  /** Byte in the file, address in the guest's (pseudo-)physical memory, size; in bytes. */
  readonly offset: number
  readonly address: number
  readonly size: number
}

const ident = { magic: u32, elfClass: u8, data: u8, identVersion: u8, padding: raw(9), type: u16, machine: u16, version: u32 }
const tail = { flags: u32, ehsize: u16, phentsize: u16, phnum: u16, shentsize: u16, shnum: u16, shstrndx: u16 }
const header64 = struct(64, { ...ident, entry: u64, phoff: u64, shoff: u64, ...tail })
const header32 = struct(52, { ...ident, entry: u32, phoff: u32, shoff: u32, ...tail })
const program64 = struct(56, { type: u32, flags: u32, offset: u64, vaddr: u64, paddr: u64, filesz: u64, memsz: u64, align: u64 })
const program32 = struct(32, { type: u32, offset: u32, vaddr: u32, paddr: u32, filesz: u32, memsz: u32, flags: u32, align: u32 })

const MAGIC = 0x464c457f
const LITTLE_ENDIAN = 1
const CURRENT = 1
const CORE = 4
const MACHINE = { 32: 3, 64: 62 } as const // EM_386, EM_X86_64
const PROGRAM = { LOAD: 1, NOTE: 4 } as const
const READ_WRITE_EXECUTE = 7
const PRSTATUS = 1
const NOTE_NAME = Uint8Array.of(0x43, 0x4f, 0x52, 0x45, 0, 0, 0, 0) // "CORE", NUL, padding
const NOTE_NAME_SIZE = 5

/** Bytes before the notes. */
export const headerSize = (elfClass: ElfClass, segments: number): number =>
  elfClass === 64 ? header64.size + program64.size * (segments + 1) : header32.size + program32.size * (segments + 1)

/** ELF header, program headers and notes of a core file. The alignment of segments is 0, by which crash knows a dump of physical memory. */
export function coreHead(elfClass: ElfClass, segments: readonly Segment[], notes: Uint8Array): Uint8Array {
  const note = { type: PROGRAM.NOTE, offset: headerSize(elfClass, segments.length), address: 0, size: notes.length, inMemory: 0, flags: 0 }
  const loads = segments.map((segment) => ({ ...segment, type: PROGRAM.LOAD, inMemory: segment.size, flags: READ_WRITE_EXECUTE }))
  return joined(fileHeader(elfClass, segments.length + 1), ...[note, ...loads].map((entry) => programHeader(elfClass, entry)), notes)
}

function fileHeader(elfClass: ElfClass, phnum: number): Uint8Array {
  const common = {
    ...{ magic: MAGIC, elfClass: elfClass === 64 ? 2 : 1, data: LITTLE_ENDIAN, identVersion: CURRENT, padding: new Uint8Array(9) },
    ...{ type: CORE, machine: MACHINE[elfClass], version: CURRENT, flags: 0, phnum, shentsize: 0, shnum: 0, shstrndx: 0 },
  }
  return elfClass === 64
    ? writeStruct(header64, { ...common, entry: 0n, phoff: BigInt(header64.size), shoff: 0n, ehsize: header64.size, phentsize: program64.size })
    : writeStruct(header32, { ...common, entry: 0, phoff: header32.size, shoff: 0, ehsize: header32.size, phentsize: program32.size })
}

interface ProgramHeader extends Segment {
  readonly type: number
  readonly inMemory: number
  readonly flags: number
}

function programHeader(elfClass: ElfClass, { type, flags, offset, address, size, inMemory }: ProgramHeader): Uint8Array {
  if (elfClass === 32) return writeStruct(program32, { type, flags, offset, vaddr: address, paddr: address, filesz: size, memsz: inMemory, align: 0 })
  const [at, where, filesz, memsz] = [BigInt(offset), BigInt(address), BigInt(size), BigInt(inMemory)]
  return writeStruct(program64, { type, flags, offset: at, vaddr: where, paddr: where, filesz, memsz, align: 0n })
}

/** struct elf_prstatus: where the number of the thread and the registers are. */
const status64 = { size: 336, pid: 32, registers: 112 } as const
const status32 = { size: 144, pid: 24, registers: 72 } as const

/** A note with the registers of one vCPU; debuggers show it as thread number vCPU + 1. */
export function statusNote(registers: Registers): Uint8Array {
  const layout = registers.bits === 64 ? status64 : status32
  const status = new Uint8Array(layout.size)
  const view = new DataView(status.buffer)
  view.setUint32(layout.pid, registers.vcpu + 1, true)
  if (registers.bits === 64) REGISTERS_64.forEach((name, i) => view.setBigUint64(layout.registers + 8 * i, registers.values[name], true))
  else REGISTERS_32.forEach((name, i) => view.setUint32(layout.registers + 4 * i, Number(registers.values[name]), true))
  return joined(writeStruct(noteHead, { nameSize: NOTE_NAME_SIZE, size: layout.size, type: PRSTATUS }), NOTE_NAME, status)
}

const noteHead = struct(12, { nameSize: u32, size: u32, type: u32 })
