import { ByteReader } from '../bytes/byte-reader.ts'
import { sourceOfBytes } from '../bytes/byte-source.ts'
import { viewOf } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'
import { textOfBytes } from '../frame/latin1.ts'
import { readDeviceBody } from './device-body.ts'
import { readName } from './name.ts'
import { RamPayload, type RamBlock, type RamVisitor } from './ram-payload.ts'
import { ENABLE_COLO, PIECE, QEMU_MAGIC, QEMU_VERSION, qemuCommandName, RAM_SECTION, sectionKinds } from './stream-codes.ts'
import type { QemuItem, QemuSection } from './stream-item.ts'
import { readSubsection } from './subsection.ts'

/** Longest name of a machine, and longest description, in bytes. */
const MACHINE_MAX = 255
const DESCRIPTION_MAX = 16 * 1024 * 1024

/** Sections whose bodies are devices, and where they end. */
type Devices = 'end-of-bytes' | 'description' | 'none'

interface SectionHead {
  readonly name: string
  readonly instance: number
  readonly version: number
}

/**
 * Reads a migration stream of QEMU, and the parts of later COLO checkpoints on the same connection. No byte behind a part is asked for.
 *
 * Source: QEMU 7.2, migration/savevm.c and ram.c, and real streams of it.
 */
export class QemuReader {
  readonly #reader: ByteReader
  readonly #ram: RamPayload
  readonly #heads = new Map<number, SectionHead>()
  #colo = false

  constructor(reader: ByteReader, visitor: RamVisitor) {
    this.#reader = reader
    this.#ram = new RamPayload(visitor)
  }

  /** The sender asked for COLO: messages follow behind the stream. */
  get colo(): boolean {
    return this.#colo
  }

  get blocks(): readonly RamBlock[] {
    return this.#ram.blocks
  }

  /**
   * The stream from its first byte to its description, or to its end where it has none.
   *
   * @throws FormatError FMT_NOT_AN_IMAGE, FMT_TRUNCATED, FMT_QEMU_STREAM, FMT_BODY_TOO_LARGE
   */
  async *stream(): AsyncGenerator<QemuItem, void, void> {
    yield await this.#header()
    yield* this.#pieces('description')
    if ((await this.#reader.peek(1))[0] === PIECE.DESCRIPTION) yield await this.#description()
  }

  /** The memory of a checkpoint, behind `vmstate-send`. @throws as `stream()` */
  live(): AsyncGenerator<QemuItem, void, void> {
    return this.#pieces('none')
  }

  /**
   * What the state of a checkpoint is made of.
   *
   * @param bytes all that was announced by `vmstate-size`
   * @throws FormatError FMT_TRUNCATED, FMT_QEMU_STREAM; offsets are within `bytes`
   */
  async devices(bytes: Uint8Array): Promise<readonly QemuSection[]> {
    const reader = new ByteReader(sourceOfBytes(bytes))
    const inner = new QemuReader(reader, { blocks: noMemory, page: noMemory })
    const sections: QemuSection[] = []
    for await (const item of inner.#pieces('end-of-bytes')) if (item.kind === 'section') sections.push(item)
    if (reader.offset < bytes.length) throw new FormatError('FMT_QEMU_STREAM', `${bytes.length - reader.offset} bytes behind the last device`, { offset: reader.offset })
    return sections
  }

  async #header(): Promise<QemuItem> {
    const { offset } = this.#reader
    const view = viewOf(await this.#reader.take(8))
    if (view.getUint32(0) !== QEMU_MAGIC) throw new FormatError('FMT_NOT_AN_IMAGE', 'this is no migration stream of QEMU', { offset, hint: 'it would begin with QEVM' })
    const version = view.getUint32(4)
    if (version !== QEMU_VERSION) throw new FormatError('FMT_QEMU_STREAM', `migration stream of version ${version}`, { offset: offset + 4, hint: `version ${QEMU_VERSION} is read` })
    return { kind: 'header', offset, version }
  }

  async *#pieces(devices: Devices): AsyncGenerator<QemuItem, void, void> {
    for (;;) {
      const { offset } = this.#reader
      const [piece = 0] = await this.#reader.take(1)
      if (piece === PIECE.EOF) return yield { kind: 'end', offset }
      yield await this.#piece(piece, offset, devices)
    }
  }

  async #piece(piece: number, offset: number, devices: Devices): Promise<QemuItem> {
    const section = (sectionKinds as ReadonlyMap<number, QemuSection['section']>).get(piece)
    if (section !== undefined) return this.#section(section, offset, devices)
    if (piece === PIECE.CONFIGURATION) return this.#configuration(offset)
    if (piece === PIECE.SUBSECTION) return readSubsection(this.#reader, offset)
    if (piece === PIECE.COMMAND) return this.#command(offset)
    throw new FormatError('FMT_QEMU_STREAM', `a piece of type 0x${piece.toString(16)}`, { offset, hint: 'the stream is damaged, or the end of a device was missed' })
  }

  async #configuration(offset: number): Promise<QemuItem> {
    const length = await this.#u32()
    if (length > MACHINE_MAX) throw new FormatError('FMT_QEMU_STREAM', `the name of the machine has ${length} bytes`, { offset })
    return { kind: 'configuration', offset, length: 5 + length, machine: textOfBytes(await this.#reader.take(length)) }
  }

  async #command(offset: number): Promise<QemuItem> {
    const view = viewOf(await this.#reader.take(4))
    const [command, length] = [view.getUint16(0), view.getUint16(2)]
    const payload = await this.#reader.copy(length)
    if (command === ENABLE_COLO) this.#colo = true
    return { kind: 'command', offset, command, name: qemuCommandName(command), payload }
  }

  async #section(section: QemuSection['section'], offset: number, devices: Devices): Promise<QemuSection> {
    const id = await this.#u32()
    const head = section === 'start' || section === 'full' ? await this.#newHead(id, offset) : this.#knownHead(id, offset)
    const isRam = head.name === RAM_SECTION.name && section !== 'full'
    if (!isRam && (section !== 'full' || devices === 'none')) throw new FormatError('FMT_QEMU_STREAM', `'${head.name}' is sent ${section === 'full' ? 'where memory is' : 'bit by bit'}`, { offset, hint: 'only memory is read bit by bit: take disks out of the migration' })
    const ram = isRam ? await this.#ram.read(this.#reader) : undefined
    const body = isRam ? undefined : await readDeviceBody(this.#reader, { id, seen: new Set(this.#heads.keys()), last: devices as Exclude<Devices, 'none'> })
    await this.#footer(id)
    return { kind: 'section', offset, length: this.#reader.offset - offset, section, id, ...head, ram, body }
  }

  async #newHead(id: number, offset: number): Promise<SectionHead> {
    const name = await readName(this.#reader)
    const view = viewOf(await this.#reader.take(8))
    const head = { name, instance: view.getUint32(0), version: view.getUint32(4) }
    if (this.#heads.has(id)) throw new FormatError('FMT_QEMU_STREAM', `section ${id} begins twice`, { offset })
    if (name === RAM_SECTION.name && head.version !== RAM_SECTION.version) throw new FormatError('FMT_QEMU_STREAM', `memory of version ${head.version}`, { offset, hint: `version ${RAM_SECTION.version} is read` })
    this.#heads.set(id, head)
    return head
  }

  #knownHead(id: number, offset: number): SectionHead {
    const head = this.#heads.get(id)
    if (head === undefined) throw new FormatError('FMT_QEMU_STREAM', `section ${id} goes on without having begun`, { offset })
    return head
  }

  async #footer(id: number): Promise<void> {
    const { offset } = this.#reader
    const bytes = await this.#reader.take(5)
    if (bytes[0] === PIECE.FOOTER && viewOf(bytes).getUint32(1) === id) return
    throw new FormatError('FMT_QEMU_STREAM', `section ${id} does not end with its footer`, { offset, hint: 'the stream is damaged' })
  }

  async #description(): Promise<QemuItem> {
    const { offset } = this.#reader
    await this.#reader.take(1)
    const length = await this.#u32()
    if (length > DESCRIPTION_MAX) throw new FormatError('FMT_BODY_TOO_LARGE', `a description of ${length} bytes`, { offset })
    const json = await this.#reader.copy(length)
    return { kind: 'description', offset, length: 5 + length, json }
  }

  async #u32(): Promise<number> {
    return viewOf(await this.#reader.take(4)).getUint32(0)
  }
}

function noMemory(): never {
  throw new FormatError('FMT_QEMU_STREAM', 'memory among the devices')
}
