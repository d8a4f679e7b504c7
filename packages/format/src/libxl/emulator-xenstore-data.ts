import type { Json } from '../bytes/field.ts'
import { asObject } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'
import { bodySizeError, tooManyError, type Codec } from '../frame/codec.ts'
import { frontAndRest } from '../frame/front-and-rest.ts'
import { bytesOfText, textOfBytes } from '../frame/latin1.ts'
import { recordCodec } from '../frame/record.ts'
import { listOf } from '../frame/rows.ts'
import { emulatorHeader } from './emulator.ts'
import { XL2 } from './record-types.ts'

/** A node of xenstore below the device model's own. Each character is one byte, 1 to 255, whatever encoding was meant. */
export interface XenstoreEntry {
  readonly key: string
  readonly value: string
}

/** What the device model needs to find in xenstore before it reads its context. */
export interface EmulatorXenstoreData {
  readonly emulator: number
  readonly index: number
  readonly entries: readonly XenstoreEntry[]
}

const what = 'EMULATOR_XENSTORE_DATA'
const NUL = '\0'
/** Most keys and values that are told apart; three pairs for each region of memory that QEMU has moved is what libxl writes. */
const TEXTS_MAX = 1 << 16

const entries: Codec<readonly XenstoreEntry[]> = {
  decode: (bytes) => {
    if (bytes.filter((byte) => byte === 0).length > TEXTS_MAX) throw tooManyError(what, TEXTS_MAX)
    const texts = textOfBytes(bytes).split(NUL)
    if (texts.pop() !== '') throw bodySizeError(what, 'a NUL byte at the end', bytes.length)
    if (texts.length % 2 !== 0) throw bodySizeError(what, 'pairs of key and value', bytes.length)
    return Array.from({ length: texts.length / 2 }, (_, i) => ({ key: texts[2 * i] as string, value: texts[2 * i + 1] as string }))
  },
  encode: (pairs) => {
    const bytes = bytesOfText(pairs.map(({ key, value }) => checked(key) + NUL + checked(value) + NUL).join(''))
    if (bytes === undefined) throw new FormatError('FMT_VALUE', `${what}: a character above 255 cannot be written`)
    return bytes
  },
  toJson: (pairs) => pairs.map(({ key, value }) => ({ key, value })),
  fromJson: (json) => listOf(json).map(entryFrom),
}

function checked(text: string): string {
  if (text.includes(NUL)) throw new FormatError('FMT_VALUE', `${what}: a NUL character within a text`)
  return text
}

function entryFrom(json: Json): XenstoreEntry {
  const { key, value } = asObject(json)
  if (typeof key !== 'string' || typeof value !== 'string') throw new FormatError('FMT_JSON', 'a text as key and a text as value wanted')
  return { key, value }
}

export const emulatorXenstoreData = recordCodec<EmulatorXenstoreData>(
  XL2.EMULATOR_XENSTORE_DATA,
  what,
  `libxl-migration-stream, "${what}"`,
  frontAndRest({ what, front: emulatorHeader, key: 'entries', rest: entries }),
)
