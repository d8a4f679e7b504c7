import type { ByteSink } from '../bytes/byte-sink.ts'
import { PAGE_SIZE } from '../bytes/limits.ts'
import { viewOf } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'
import { joinedList } from '../bytes/joined.ts'
import { bytesOfText } from '../frame/latin1.ts'
import { encodeName } from './name.ts'
import type { RamBlock } from './ram-payload.ts'
import type { QemuSection } from './stream-item.ts'
import { ENABLE_COLO, PIECE, QEMU_MAGIC, QEMU_VERSION, RAM_FLAG, RAM_SECTION } from './stream-codes.ts'

/** What a QEMU machine is at one moment. */
export interface QemuState {
  /** Its type, as `pc-i440fx-7.2`. */
  readonly machine: string
  readonly blocks: readonly RamBlock[]
  /** Of the section that held memory: no device has it. */
  readonly ramId: number
  /** The page of a block, left alone until the write that it goes into is done; undefined where it is all zeros. @param offset in bytes, a multiple of the page size */
  page(block: RamBlock, offset: number): Uint8Array | undefined | Promise<Uint8Array | undefined>
  /** All devices as a COLO checkpoint has them: sections and one byte behind them. */
  readonly devices: Uint8Array
}

const NO_DEVICES = '{"page_size":4096,"devices":[]}'
const NOTHING = new Uint8Array(0)
/** Pages that are handed on at once. */
const BATCH = 64

/** How a state is written. */
export interface QemuStreamOptions {
  /** Makes the receiver a COLO secondary: messages follow behind the stream. */
  readonly colo?: boolean
}

/**
 * Writes a state as a migration stream that an unmodified QEMU with the same machine starts from (`-incoming`).
 *
 * @throws FormatError FMT_VALUE; what the sink throws
 */
export async function writeQemuStream(state: QemuState, sink: ByteSink, { colo = false }: QemuStreamOptions = {}): Promise<void> {
  const { devices } = state
  if (devices.at(-1) !== PIECE.EOF) throw new FormatError('FMT_VALUE', 'the state of the devices does not end where it should')
  await sink.write([...head(state), ...(colo ? [Uint8Array.of(PIECE.COMMAND, 0, ENABLE_COLO, 0, 0)] : []), ...start(state)])
  await writePages(state, sink)
  await sink.write([u64(RAM_FLAG.EOS), footer(state.ramId), devices, described()])
}

function head({ machine }: QemuState): readonly Uint8Array[] {
  const name = text(machine)
  return [u32(QEMU_MAGIC), u32(QEMU_VERSION), Uint8Array.of(PIECE.CONFIGURATION), u32(name.length), name]
}

function start({ blocks, ramId }: QemuState): readonly Uint8Array[] {
  const total = blocks.reduce((sum, { length }) => sum + length, 0)
  const table = blocks.flatMap(({ name, length }) => [encodeName(name), u64(length)])
  const begin = [Uint8Array.of(PIECE.START), u32(ramId), encodeName(RAM_SECTION.name), u32(0), u32(RAM_SECTION.version)]
  return [...begin, u64(total + RAM_FLAG.MEM_SIZE), ...table, u64(RAM_FLAG.EOS), footer(ramId), Uint8Array.of(PIECE.END), u32(ramId)]
}

async function writePages(state: QemuState, sink: ByteSink): Promise<void> {
  for (const block of state.blocks) {
    let parts: Uint8Array[] = []
    for (let offset = 0; offset < block.length; offset += PAGE_SIZE) {
      parts.push(...pageParts(block, offset, await state.page(block, offset)))
      if (parts.length < 2 * BATCH) continue
      await sink.write(parts)
      parts = []
    }
    await sink.write(parts)
  }
}

function pageParts(block: RamBlock, offset: number, bytes: Uint8Array | undefined): readonly Uint8Array[] {
  const flags = (bytes === undefined ? RAM_FLAG.ZERO : RAM_FLAG.PAGE) + (offset === 0 ? 0 : RAM_FLAG.CONTINUE)
  const named = offset === 0 ? [u64(offset + flags), encodeName(block.name)] : [u64(offset + flags)]
  return [...named, bytes ?? Uint8Array.of(0)]
}

const footer = (id: number): Uint8Array => Uint8Array.of(PIECE.FOOTER, ...u32(id))
const described = (): Uint8Array => Uint8Array.of(PIECE.DESCRIPTION, ...u32(NO_DEVICES.length), ...text(NO_DEVICES))

function text(string: string): Uint8Array {
  const bytes = bytesOfText(string)
  if (bytes === undefined) throw new FormatError('FMT_VALUE', `'${string.slice(0, 40)}' cannot be the name of a machine`)
  return bytes
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  viewOf(bytes).setUint32(0, value)
  return bytes
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  viewOf(bytes).setBigUint64(0, BigInt(value))
  return bytes
}

/** The memory of a checkpoint in which nothing was written. @param ramId id of the section of memory */
export function encodeNoPages(ramId: number): Uint8Array {
  return joinedList([Uint8Array.of(PIECE.END), u32(ramId), u64(RAM_FLAG.EOS), footer(ramId), Uint8Array.of(PIECE.EOF)])
}

/** Devices as they stand in a COLO checkpoint, of those of a whole stream. */
export function encodeDevices(sections: readonly QemuSection[]): Uint8Array {
  const parts = sections.flatMap(({ id, name, instance, version, body }) => [Uint8Array.of(PIECE.FULL), u32(id), encodeName(name), u32(instance), u32(version), body ?? NOTHING, footer(id)])
  return joinedList([...parts, Uint8Array.of(PIECE.EOF)])
}
