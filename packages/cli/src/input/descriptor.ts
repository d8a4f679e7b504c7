import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync, statSync, type Stats } from 'node:fs'
import { isatty } from 'node:tty'
import { CliError, usageError } from '../cli-error.ts'
import { fileError } from './file-error.ts'

const STDIN_FD = 0

/** What stands behind a descriptor: `disk` can be read anywhere, the others in order only. */
type DescriptorKind = 'disk' | 'pipe' | 'device'

/** An open file, and how to be rid of it. */
export interface Descriptor {
  readonly fd: number
  readonly kind: DescriptorKind
  /** A pipe with a name that nobody may have opened for writing yet; its descriptor does not block. */
  readonly named: boolean
  /** Bytes there now, of a `disk`; 0 of others. */
  size(): number
  /** Closes it unless it is standard input, which is not ours to close. */
  close(): void
}

/**
 * Opens a path or, for `-`, standard input.
 *
 * @throws CliError CLI_FILE_NOT_FOUND | CLI_FILE_DENIED | CLI_NOT_A_FILE | CLI_USAGE (a terminal) | CLI_IO
 */
export function openDescriptor(path: string): Descriptor {
  const fd = path === '-' ? STDIN_FD : attempt(path, () => openPath(path))
  const close = (): void => {
    if (fd !== STDIN_FD) closeSync(fd)
  }
  try {
    const stat = attempt(path, () => fstatSync(fd))
    refuse(stat, fd, path)
    const kind = kindOf(stat)
    return { fd, kind, named: stat.isFIFO() && fd !== STDIN_FD && hasName(fd), size: () => (kind === 'disk' ? sizeOf(fd, stat) : 0), close }
  } catch (error) {
    close()
    throw error
  }
}

/** Opening a named pipe must not wait for its writer, or no signal would get through. */
function openPath(path: string): number {
  return openSync(path, constants.O_RDONLY | (statSync(path).isFIFO() ? constants.O_NONBLOCK : 0))
}

/** `/dev/stdin` and the like lead to pipes without a name. */
function hasName(fd: number): boolean {
  try {
    return !readlinkSync(`/proc/self/fd/${fd}`).startsWith('pipe:')
  } catch {
    return true // no /proc, no such paths
  }
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw fileError(error, path)
  }
}

function refuse(stat: Stats, fd: number, path: string): void {
  if (stat.isDirectory()) throw new CliError('CLI_NOT_A_FILE', `${path}: this is a folder`, { hint: 'give the image file itself' })
  if (isatty(fd)) throw usageError(`${path}: this is a terminal`, 'give a file, or send an image through a pipe')
}

function kindOf(stat: Stats): DescriptorKind {
  if (stat.isFile() || stat.isBlockDevice()) return 'disk'
  return stat.isFIFO() || stat.isSocket() ? 'pipe' : 'device'
}

/** The system does not tell the size of a disk this way, so its last byte is looked for. */
function sizeOf(fd: number, stat: Stats): number {
  if (stat.isFile()) return fstatSync(fd).size
  const byte = new Uint8Array(1)
  const has = (at: number): boolean => readSync(fd, byte, 0, 1, at) === 1
  let above = 1
  while (has(above - 1)) above *= 2
  let below = Math.floor(above / 2)
  while (above - below > 1) {
    const middle = Math.floor((below + above) / 2)
    if (has(middle - 1)) below = middle
    else above = middle
  }
  return below
}
