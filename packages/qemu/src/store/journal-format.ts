import { createHmac, type Hmac } from 'node:crypto'

/**
 * A checkpoint in the journal: head, pages, devices, digest; all numbers big-endian.
 *
 * | bytes | |
 * |---|---|
 * | 8 | `XRQJRNL1` |
 * | 8 | number of the checkpoint |
 * | for each page: 8, and 4096 unless it is zeros | number of the page within all blocks, times 4096, plus 1 for zeros |
 * | 8 | all ones: no more pages |
 * | 8 | when it was complete, in milliseconds since 1970 |
 * | 4, and as many | length of the devices, devices |
 * | 32 | HMAC-SHA-256 of all of the above |
 */
const JOURNAL_MAGIC = new TextEncoder().encode('XRQJRNL1')

export const HEAD_BYTES = 16
export const DIGEST_BYTES = 32
const PAGE_SIZE = 4096
const NO_MORE = new Uint8Array(8).fill(0xff)

export function encodeHead(epoch: number): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES)
  bytes.set(JOURNAL_MAGIC)
  new DataView(bytes.buffer).setBigUint64(8, BigInt(epoch))
  return bytes
}

/** The number of the checkpoint that begins with this head; undefined where none begins. */
export function epochOf(head: Uint8Array): number | undefined {
  if (head.length < HEAD_BYTES || JOURNAL_MAGIC.some((byte, i) => head[i] !== byte)) return undefined
  return Number(new DataView(head.buffer, head.byteOffset).getBigUint64(8))
}

/** The word before a page. @param page its number within all blocks */
export function encodePageWord(page: number, zeros: boolean): Uint8Array {
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  const place = page * PAGE_SIZE
  view.setUint32(0, Math.floor(place / 2 ** 32))
  view.setUint32(4, (place % 2 ** 32) + (zeros ? 1 : 0))
  return bytes
}

/** What stands between the last page and the digest. */
export function encodeTail({ devices, at }: Complete): readonly Uint8Array[] {
  const words = new Uint8Array(12)
  const view = new DataView(words.buffer)
  view.setBigUint64(0, BigInt(Math.floor(at)))
  view.setUint32(8, devices.length)
  return [NO_MORE, words, devices]
}

/** What makes a checkpoint complete. */
export interface Complete {
  /** All devices, as they come in a COLO checkpoint. */
  readonly devices: Uint8Array
  /** When it was, in milliseconds since 1970. */
  readonly at: number
}

export const digestOf = (key: Uint8Array): Hmac => createHmac('sha256', key)

/** A page in the journal. */
interface JournalPage {
  readonly page: number
  /** Place of its bytes in the journal; undefined for zeros. */
  readonly at: number | undefined
}

/** A checkpoint that is complete. */
export interface JournalEntry extends Complete {
  readonly epoch: number
  readonly pages: readonly JournalPage[]
  /** Where the next one begins. */
  readonly end: number
}

/** What makes an entry complete. */
export interface EntryRules {
  /** Pages of the guest: others make an entry incomplete. */
  readonly pageCount: number
  /** Of the digest. Pages hold what the guest likes; without the key it cannot make up an entry. */
  readonly key: Uint8Array
}

/** Reads at a place; fewer bytes where the file ends. */
export type ReadAt = (at: number, length: number) => Promise<Uint8Array>

/** The checkpoint at a place of a journal; undefined where there is none that is complete. */
export async function readEntry(read: ReadAt, from: number, { pageCount, key }: EntryRules): Promise<JournalEntry | undefined> {
  const digest = digestOf(key)
  let at = from
  const take = async (length: number): Promise<Uint8Array> => {
    const bytes = await read(at, length)
    if (bytes.length < length) throw new Incomplete()
    at += length
    return bytes
  }
  const hashed = async (length: number): Promise<DataView> => {
    const bytes = await take(length)
    digest.update(bytes)
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }
  try {
    const head = await hashed(HEAD_BYTES)
    const epoch = epochOf(new Uint8Array(head.buffer, head.byteOffset, HEAD_BYTES))
    if (epoch === undefined) return undefined
    const pages = await readPages(hashed, () => at, pageCount)
    const words = await hashed(12)
    const devices = await readLong(hashed, words.getUint32(8))
    const sum = await take(DIGEST_BYTES)
    return Buffer.compare(sum, digest.digest()) === 0 ? { epoch, pages, devices, at: Number(words.getBigUint64(0)), end: at } : undefined
  } catch (error) {
    if (error instanceof Incomplete) return undefined
    throw error
  }
}

class Incomplete extends Error {}

async function readPages(hashed: (length: number) => Promise<DataView>, place: () => number, pageCount: number): Promise<readonly JournalPage[]> {
  const pages: JournalPage[] = []
  for (;;) {
    const word = (await hashed(8)).getBigUint64(0)
    if (word === 2n ** 64n - 1n) return pages
    const page = Number(word / BigInt(PAGE_SIZE))
    const flags = Number(word % BigInt(PAGE_SIZE))
    if (flags > 1 || page >= pageCount) throw new Incomplete()
    pages.push({ page, at: flags === 1 ? undefined : place() })
    if (flags === 0) await hashed(PAGE_SIZE)
  }
}

/** Reads bit by bit, so that memory grows with what is there and not with what is promised. */
async function readLong(hashed: (length: number) => Promise<DataView>, length: number): Promise<Uint8Array> {
  const parts: Buffer[] = []
  for (let left = length; left > 0; left -= 65_536) {
    const { buffer, byteOffset, byteLength } = await hashed(Math.min(left, 65_536))
    parts.push(Buffer.from(buffer.slice(byteOffset, byteOffset + byteLength)))
  }
  return new Uint8Array(Buffer.concat(parts))
}
