import { closeSync, ftruncateSync, openSync, realpathSync, statSync, writeSync } from 'node:fs'
import { usageError } from '../cli-error.ts'
import type { VerbContext } from '../commands/command.ts'
import { fileError } from '../input/file-error.ts'
import { Pace } from '../input/pace.ts'
import { createFile } from '../output/new-file.ts'
import { isZero } from './zero-pages.ts'

/** Where a verb puts what it makes. A file gets its name only with `commit()`. */
export interface ImageOutput {
  /** Bytes can be left out and are zero then. */
  readonly sparse: boolean
  /** Writes behind what was written before. */
  write(bytes: Uint8Array): Promise<void>
  /** Writes at a place; `sparse` outputs only. */
  writeAt(bytes: Uint8Array, at: number): void
  /** @param size of the file in bytes when it is sparse. */
  commit(size?: number): void
  /** Takes away what is not committed. For a `finally`. */
  discard(): void
}

/**
 * Opens OUT. A file of that name is replaced when the new one is whole; a device or a pipe is written to directly.
 *
 * @param path `-` is standard output.
 * @throws CliError CLI_USAGE when standard output is a terminal or wanted for the document of `--json`; CLI_FILE_* | CLI_NOT_A_FILE | CLI_IO
 */
export function openOutput(path: string, { stdout, json }: Pick<VerbContext, 'stdout' | 'json'>): ImageOutput {
  if (path === '-') {
    if (json) throw usageError('--json and OUT `-` exclude each other: both want standard output', 'name a file, or /dev/stderr')
    if (stdout.isTTY) throw usageError('standard output is a terminal', 'name a file, or send the output through a pipe')
    return serial((bytes) => stdout.write(bytes), () => undefined)
  }
  const target = targetOf(path)
  return target.special ? specialFile(path) : newFile(target.path)
}

function targetOf(path: string): { readonly path: string; readonly special: boolean } {
  try {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined || stat.isDirectory()) return { path, special: stat !== undefined }
    return { path: realpathSync(path), special: !stat.isFile() }
  } catch (error) {
    throw fileError(error, path)
  }
}

/** A device, a pipe, or something that cannot be opened for writing, which is told then. */
function specialFile(path: string): ImageOutput {
  const attempt = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw fileError(error, path)
    }
  }
  const fd = attempt(() => openSync(path, 'w'))
  let open = true
  const close = (): void => {
    if (open) closeSync(fd)
    open = false
  }
  const write = (bytes: Uint8Array): Promise<void> => {
    attempt(() => {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
    })
    return Promise.resolve()
  }
  return serial(write, close)
}

function serial(write: ImageOutput['write'], close: () => void): ImageOutput {
  return { sparse: false, write, writeAt: () => undefined, commit: close, discard: close }
}

function newFile(path: string): ImageOutput {
  const file = createFile(path, { force: true })
  return {
    sparse: true,
    write: (bytes) => Promise.resolve(file.write(bytes)),
    writeAt: (bytes, at) => {
      try {
        for (let done = 0; done < bytes.length; ) done += writeSync(file.fd, bytes, done, bytes.length - done, at + done)
      } catch (error) {
        throw fileError(error, path)
      }
    },
    commit: (size) => {
      if (size !== undefined) ftruncateSync(file.fd, size)
      file.commit()
    },
    discard: () => file.discard(),
  }
}

/** Says what was written: on standard output, or where that is OUT on standard error, unless less is wanted there. */
export async function remark({ stdout, stderr, verbosity }: VerbContext, path: string, text: string): Promise<void> {
  if (path !== '-') await stdout.write(text)
  else if (verbosity >= 0) stderr.writeNow(text)
}

/** Told how many bytes have been written. */
export type OnWritten = (bytes: number) => void

/**
 * Writes pieces as they are made, and lets signals and timers have their turn.
 *
 * @returns bytes written.
 */
export async function writePieces(
  out: ImageOutput,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  onWritten: OnWritten = () => undefined,
): Promise<number> {
  const pace = new Pace(signal)
  let written = 0
  for await (const piece of pieces) {
    if (pace.due) await pace.rest()
    if (piece.length === 0) continue
    await out.write(piece)
    written += piece.length
    onWritten(written)
  }
  return written
}

const PAGE_BYTES = 4096
const ZEROS = new Uint8Array(1024 * 1024)

/** Writes pieces at their places; zero pages and gaps are left out where the output is a file, and written where it is a pipe. */
export async function writeSparse(
  out: ImageOutput,
  { size, pieces }: { readonly size: number; readonly pieces: () => Iterable<{ readonly at: number; readonly bytes: Uint8Array }> },
  signal: AbortSignal,
  onWritten: OnWritten,
): Promise<void> {
  const pace = new Pace(signal)
  let end = 0
  for (const { at, bytes } of pieces()) {
    if (pace.due) await pace.rest()
    if (out.sparse) writeFilled(out, bytes, at)
    else {
      await writeZeros(out, at - end, pace)
      await out.write(bytes)
    }
    end = at + bytes.length
    onWritten(end)
  }
  if (!out.sparse) await writeZeros(out, size - end, pace)
}

async function writeZeros(out: ImageOutput, count: number, pace: Pace): Promise<void> {
  for (let left = count; left > 0; left -= ZEROS.length) {
    if (pace.due) await pace.rest()
    await out.write(ZEROS.subarray(0, Math.min(left, ZEROS.length)))
  }
}

/** Writes runs of pages that are not zero. */
function writeFilled(out: ImageOutput, bytes: Uint8Array, at: number): void {
  for (let to = 0; to < bytes.length; to += PAGE_BYTES) {
    if (isZero(bytes.subarray(to, to + PAGE_BYTES))) continue
    let end = to + PAGE_BYTES
    while (end < bytes.length && !isZero(bytes.subarray(end, end + PAGE_BYTES))) end += PAGE_BYTES
    out.writeAt(bytes.subarray(to, end), at + to)
    to = end
  }
}
