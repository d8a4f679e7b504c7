import type { ByteReader } from '../bytes/byte-reader.ts'
import { truncated } from '../bytes/byte-reader.ts'
import { PAGE_SIZE } from '../bytes/limits.ts'
import { isLater } from '../bytes/soon.ts'
import { viewOf } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'
import { readName } from './name.ts'
import { RAM_FLAG } from './stream-codes.ts'

/** A piece of memory of a QEMU machine; offsets of pages are within it, they are no guest physical addresses. */
export interface RamBlock {
  readonly name: string
  /** In bytes. */
  readonly length: number
}

/** Gets a guest's memory as it comes in. */
export interface RamVisitor {
  /** All blocks, once, before any page. */
  blocks(blocks: readonly RamBlock[]): void
  /** @param offset in bytes, of the page within its block. @param bytes one page, valid until this returns; undefined for one of zeros. */
  page(block: RamBlock, offset: number, bytes: Uint8Array | undefined): void
}

/** How many pages a section held. */
export interface RamCount {
  readonly pages: number
  readonly zeroPages: number
}

/** Most blocks of a machine, and most memory in bytes; both far above what exists. */
const BLOCKS_MAX = 4096
const LENGTH_MAX = 2 ** 46

const FLAGS = 0xfff
const CAPABILITY = 'xbzrle, compress, multifd and RDMA change the stream: turn them off at the sender'

/** Reads what `ram` sections hold. It lasts as long as the connection: the current block outlives sections and checkpoints. */
export class RamPayload {
  readonly #visitor: RamVisitor
  readonly #blocks = new Map<string, RamBlock>()
  #current: RamBlock | undefined

  constructor(visitor: RamVisitor) {
    this.#visitor = visitor
  }

  /** In the order in which they were announced. */
  get blocks(): readonly RamBlock[] {
    return [...this.#blocks.values()]
  }

  /**
   * Reads one section's words up to and with its end.
   *
   * @throws FormatError FMT_TRUNCATED, FMT_QEMU_STREAM
   */
  async read(reader: ByteReader): Promise<RamCount> {
    let [pages, zeroPages] = [0, 0]
    for (;;) {
      const { offset } = reader
      const word = await wordOf(reader)
      const [at, flags] = [word.address, word.flags & ~RAM_FLAG.CONTINUE]
      if (word.flags === RAM_FLAG.EOS && at === 0) return { pages, zeroPages }
      if (word.flags === RAM_FLAG.MEM_SIZE) await this.#readBlocks(reader, at, offset)
      else if (flags === RAM_FLAG.PAGE || flags === RAM_FLAG.ZERO) {
        const block = await this.#blockOf(word.flags, reader, offset)
        if (at + PAGE_SIZE > roundedUp(block.length)) throw new FormatError('FMT_QEMU_STREAM', `a page at ${at} of ${block.name}, which has ${block.length} bytes`, { offset })
        if (flags === RAM_FLAG.PAGE) pages++
        else zeroPages++
        await this.#page(block, at, flags, reader)
      } else throw new FormatError('FMT_QEMU_STREAM', `RAM flags 0x${word.flags.toString(16)} at address 0x${at.toString(16)}`, { offset, hint: CAPABILITY })
    }
  }

  async #readBlocks(reader: ByteReader, total: number, offset: number): Promise<void> {
    let left = total
    while (left > 0) {
      const name = await readName(reader)
      const length = Number(viewOf(await reader.take(8)).getBigUint64(0))
      if (length > left || length === 0 || this.#blocks.size === BLOCKS_MAX || this.#blocks.has(name)) {
        throw new FormatError('FMT_QEMU_STREAM', `RAM block '${name}' of ${length} bytes does not go with the ${left} that are left`, { offset, hint: CAPABILITY })
      }
      this.#blocks.set(name, { name, length })
      left -= length
    }
    this.#visitor.blocks(this.blocks)
  }

  async #blockOf(flags: number, reader: ByteReader, offset: number): Promise<RamBlock> {
    if ((flags & RAM_FLAG.CONTINUE) === 0) {
      const name = await readName(reader)
      this.#current = this.#blocks.get(name)
      if (this.#current === undefined) throw new FormatError('FMT_QEMU_STREAM', `a page of '${name}', which was not announced`, { offset })
    }
    if (this.#current === undefined) throw new FormatError('FMT_QEMU_STREAM', 'a page of the same block as the last one, and there was none', { offset })
    return this.#current
  }

  async #page(block: RamBlock, at: number, flags: number, reader: ByteReader): Promise<void> {
    const size = flags === RAM_FLAG.PAGE ? PAGE_SIZE : 1
    const { offset } = reader
    const soon = reader.upTo(size)
    const bytes = isLater(soon) ? await soon : soon
    if (bytes.length < size) throw truncated(size, bytes.length, reader.offset)
    if (flags === RAM_FLAG.PAGE) return this.#visitor.page(block, at, bytes)
    if (bytes[0] !== 0) throw new FormatError('FMT_QEMU_STREAM', `a page filled with ${bytes[0]}; only zeros are filled in`, { offset })
    this.#visitor.page(block, at, undefined)
  }
}

async function wordOf(reader: ByteReader): Promise<{ readonly address: number; readonly flags: number }> {
  const { offset } = reader
  const bytes = await reader.take(8)
  const low = viewOf(bytes).getUint32(4)
  const address = viewOf(bytes).getUint32(0) * 2 ** 32 + low - (low & FLAGS)
  if (address > LENGTH_MAX) throw new FormatError('FMT_QEMU_STREAM', `RAM address 0x${address.toString(16)}`, { offset, hint: CAPABILITY })
  return { address, flags: low & FLAGS }
}

const roundedUp = (length: number): number => Math.ceil(length / PAGE_SIZE) * PAGE_SIZE
