import type { ByteReader } from '../bytes/byte-reader.ts'
import { truncated } from '../bytes/byte-reader.ts'
import { viewOf } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'

/** What the two QEMUs of a COLO pair say to each other, by number. Source: QEMU, qapi/migration.json, COLOMessage. */
export const coloMessages = ['checkpoint-ready', 'checkpoint-request', 'checkpoint-reply', 'vmstate-send', 'vmstate-size', 'vmstate-received', 'vmstate-loaded'] as const

export type ColoMessageName = (typeof coloMessages)[number]

/** A message as read; `size` follows `vmstate-size` only: how many bytes of device state come next. */
export interface ColoMessage {
  readonly offset: number
  readonly name: ColoMessageName
  readonly size: number | undefined
}

/** Longest device state that is taken, in bytes. QEMU knows no limit; its own machines need less than 1 MiB. */
export const DEVICE_STATE_MAX = 64 * 1024 * 1024

const OUT_OF_STEP = 'the two sides are out of step: nothing after this can be trusted'

/**
 * The next message of a COLO connection; undefined where the connection ends between two of them.
 *
 * @throws FormatError FMT_TRUNCATED, FMT_COLO_MESSAGE, FMT_BODY_TOO_LARGE
 */
export async function readColoMessage(reader: ByteReader): Promise<ColoMessage | undefined> {
  const { offset } = reader
  const word = await reader.upTo(4)
  if (word.length === 0) return undefined
  if (word.length < 4) throw truncated(4, word.length, reader.offset)
  const number = viewOf(word).getUint32(0)
  const name = coloMessages[number]
  if (name === undefined) throw new FormatError('FMT_COLO_MESSAGE', `there is no COLO message ${number}`, { offset, hint: OUT_OF_STEP })
  return { offset, name, size: name === 'vmstate-size' ? await readSize(reader) : undefined }
}

async function readSize(reader: ByteReader): Promise<number> {
  const { offset } = reader
  const size = viewOf(await reader.take(8)).getBigUint64(0)
  if (size <= DEVICE_STATE_MAX) return Number(size)
  throw new FormatError('FMT_BODY_TOO_LARGE', `${size} bytes of device state announced, ${DEVICE_STATE_MAX} are the most`, { offset, hint: OUT_OF_STEP })
}

/** A message as it goes over the wire. @param size in bytes, for `vmstate-size` only */
export function encodeColoMessage(name: ColoMessageName, size?: number): Uint8Array {
  if ((name === 'vmstate-size') !== (size !== undefined)) throw new FormatError('FMT_VALUE', `${name} ${size === undefined ? 'needs a size' : 'has no size'}`)
  const bytes = new Uint8Array(size === undefined ? 4 : 12)
  viewOf(bytes).setUint32(0, coloMessages.indexOf(name))
  if (size !== undefined) viewOf(bytes).setBigUint64(4, BigInt(size))
  return bytes
}
