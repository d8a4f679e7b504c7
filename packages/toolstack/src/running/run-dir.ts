import { chmodSync, lstatSync, mkdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'

/** Ending of the socket of an operation. */
export const SOCKET = '.sock'
/** Longest path of a socket, in bytes. Source: sockaddr_un, Linux. */
const MAX_PATH_BYTES = 107

/**
 * Makes the folder in which operations are found: whoever can write there can call operations off.
 *
 * @throws Error when it cannot be made, or belongs to somebody else
 */
export function makeRunDir(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const found = lstatSync(path)
  const { uid } = userInfo()
  if (!found.isDirectory() || (uid >= 0 && found.uid !== uid)) throw new Error(`${path} belongs to somebody else`)
  if ((found.mode & 0o077) !== 0) chmodSync(path, 0o700)
}

/** @throws Error when the path is too long for a socket */
export function socketPath(runDir: string, id: string): string {
  const path = join(runDir, `${id}${SOCKET}`)
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw new Error(`${path} is too long for a socket`)
  return path
}
