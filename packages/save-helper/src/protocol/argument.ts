import { HelperError } from '../helper-error.ts'

/** How an argument stands in a message. Byte order and widths are those of the host: x86-64. */
interface ArgumentKind<T> {
  size(value: T): number
  put(view: DataView, at: number, value: T): void
  /** @returns the value and where the next argument begins. @throws RangeError beyond the end */
  get(view: DataView, at: number): readonly [value: T, next: number]
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const u32: ArgumentKind<number> = {
  size: () => 4,
  put: (view, at, value) => view.setUint32(at, value, true),
  get: (view, at) => [view.getUint32(at, true), at + 4],
}

const int: ArgumentKind<number> = {
  size: () => 4,
  put: (view, at, value) => view.setInt32(at, value, true),
  get: (view, at) => [view.getInt32(at, true), at + 4],
}

/** Counts and frame numbers: below 2^53 here. */
const u64: ArgumentKind<number> = {
  size: () => 8,
  put: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
  get: (view, at) => [Number(view.getBigUint64(at, true)), at + 8],
}

/** u32 count of bytes, the zero at the end included, and the bytes. */
const string: ArgumentKind<string> = {
  size: (value) => 4 + encoder.encode(value).length + 1,
  put: (view, at, value) => {
    const bytes = encoder.encode(value)
    view.setUint32(at, bytes.length + 1, true)
    new Uint8Array(view.buffer, view.byteOffset + at + 4, bytes.length).set(bytes)
    view.setUint8(at + 4 + bytes.length, 0)
  },
  get: (view, at) => {
    const length = view.getUint32(at, true)
    const from = at + 4
    if (length === 0 || from + length > view.byteLength || view.getUint8(from + length - 1) !== 0) {
      throw new HelperError('HELPER_PROTOCOL', `a text of ${length} bytes does not end in a zero within its message`)
    }
    return [decoder.decode(new Uint8Array(view.buffer, view.byteOffset + from, length - 1)), from + length]
  },
}

export const argumentKinds = { u32, int, u64, string } as const
export type ArgumentKindName = keyof typeof argumentKinds
/** The value that an argument of a kind has. */
export type ArgumentOf<K extends ArgumentKindName> = (typeof argumentKinds)[K] extends ArgumentKind<infer T> ? T : never
