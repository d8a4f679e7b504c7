import { read, writev } from 'node:fs'

/** Reads into a buffer from where the descriptor stands. @returns how many bytes came, 0 at the end */
export function readSome(fd: number, buffer: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => read(fd, buffer, 0, buffer.length, null, (error, got) => (error === null ? resolve(got) : reject(error))))
}

/** Writes all of the parts, in as few calls as the system allows. */
export async function writeAll(fd: number, parts: readonly Uint8Array[]): Promise<void> {
  let left = parts.filter((part) => part.length > 0)
  while (left.length > 0) left = after(left, await writeSome(fd, left))
}

function writeSome(fd: number, parts: readonly Uint8Array[]): Promise<number> {
  return new Promise((resolve, reject) => writev(fd, parts, null, (error, written) => (error === null ? resolve(written) : reject(error))))
}

/** What remains of the parts once `written` bytes of them are gone. */
function after(parts: readonly Uint8Array[], written: number): Uint8Array[] {
  let skip = written
  let first = 0
  for (let part = parts[first]; part !== undefined && skip >= part.length; part = parts[first]) {
    skip -= part.length
    first++
  }
  const [cut, ...rest] = parts.slice(first)
  return cut === undefined ? [] : [cut.subarray(skip), ...rest]
}
