import { truncated, type ByteReader } from '../bytes/byte-reader.ts'
import { viewOf } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'
import { DEVICE_STATE_MAX } from './colo-message.ts'
import { isPlausibleName } from './name.ts'
import { PIECE } from './stream-codes.ts'

const FOOTER_BYTES = 5
/** The least that follows a footer: the end of the sections and what comes behind it, or another section of a name of one letter. */
const BEHIND_BYTES = 2
/** Type, id and the length of the name. */
const HEAD_BYTES = 6
/** Longest name of a section that is taken for one. */
const NAME_MAX = 127

/** What is to know for finding the end of a device's body. */
export interface DeviceBodyEnd {
  /** Of the section. */
  readonly id: number
  /** Ids that sections had before: none begins again. */
  readonly seen: ReadonlySet<number>
  /** Whether the end of the bytes is the end of the sections; otherwise a description stands behind it. */
  readonly last: 'end-of-bytes' | 'description'
}

/**
 * Reads the body of a device, which has no length: it goes as far as a footer of its section behind which a section, or the end, is found.
 * No byte is asked for that is not there for certain.
 *
 * @param max longest body that is taken, in bytes
 * @throws FormatError FMT_TRUNCATED, FMT_BODY_TOO_LARGE
 */
export async function readDeviceBody(reader: ByteReader, end: DeviceBodyEnd, max = DEVICE_STATE_MAX): Promise<Uint8Array> {
  for (let length = 0; length <= max; length++) {
    const bytes = await reader.peek(length + FOOTER_BYTES + (end.last === 'description' ? BEHIND_BYTES : 1))
    if (bytes.length < length + FOOTER_BYTES + 1) throw truncated(length + FOOTER_BYTES + 1, bytes.length, reader.offset + bytes.length)
    if (isFooter(bytes, length, end.id) && (await endsAt(reader, length + FOOTER_BYTES, end))) return reader.copy(length)
    length = Math.max(length, nextMark(bytes, length + 1) - 1)
  }
  throw new FormatError('FMT_BODY_TOO_LARGE', `the body of section ${end.id} has no end within ${max} bytes`, { offset: reader.offset })
}

function isFooter(bytes: Uint8Array, at: number, id: number): boolean {
  return bytes[at] === PIECE.FOOTER && viewOf(bytes).getUint32(at + 1) === id
}

/** Where the next footer may begin of those bytes that were looked at. */
function nextMark(bytes: Uint8Array, from: number): number {
  const next = bytes.indexOf(PIECE.FOOTER, from)
  return next === -1 ? bytes.length : next
}

/** Whether what stands at `at` can follow a section. */
async function endsAt(reader: ByteReader, at: number, { seen, last }: DeviceBodyEnd): Promise<boolean> {
  const bytes = await reader.peek(at + 2)
  if (bytes[at] === PIECE.EOF) return last === 'description' ? bytes[at + 1] === PIECE.DESCRIPTION : bytes.length === at + 1
  if (bytes[at] !== PIECE.FULL) return false
  const head = await reader.peek(at + HEAD_BYTES)
  const nameLength = head[at + HEAD_BYTES - 1] ?? 0
  if (head.length < at + HEAD_BYTES || nameLength > NAME_MAX || seen.has(viewOf(head).getUint32(at + 1))) return false
  const named = await reader.peek(at + HEAD_BYTES + nameLength)
  return isPlausibleName(named.subarray(at + HEAD_BYTES)) && named.length === at + HEAD_BYTES + nameLength
}
