/** The parts in one array, one behind the other. */
export const joined = (...parts: readonly Uint8Array[]): Uint8Array => joinedList(parts)

/** The same for parts that may be more than a call has room for arguments. */
export function joinedList(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((n, part) => n + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
