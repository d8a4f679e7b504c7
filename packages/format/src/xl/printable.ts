/** Most bytes that are shown. */
const SHOWN = 80

const escapes: Readonly<Record<number, string>> = { 0x09: '\\t', 0x0a: '\\n', 0x0d: '\\r', 0x00: '\\0', 0x22: '\\"', 0x5c: '\\\\' }

/** Bytes of unknown origin for a message: printable ASCII as it is, the rest escaped, no more than 80 bytes. */
export const printable = (bytes: Uint8Array): string =>
  Array.from(bytes.subarray(0, SHOWN), printableByte).join('') + (bytes.length > SHOWN ? '…' : '')

function printableByte(byte: number): string {
  if (byte >= 0x20 && byte < 0x7f) return escapes[byte] ?? String.fromCharCode(byte)
  return escapes[byte] ?? `\\x${byte.toString(16).padStart(2, '0')}`
}
