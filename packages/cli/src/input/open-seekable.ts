import type { ByteSource } from '@xen-replication/format'
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmdirSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileError } from './file-error.ts'
import { openDescriptor, type Descriptor } from './descriptor.ts'
import { FileSource } from './file-source.ts'
import { openPipe, type OpenImage, type OpenOptions } from './open-image.ts'

/** An image that can be read anywhere and more than once. */
export interface SeekableImage extends OpenImage {
  readonly size: number
  /** A second source over the same bytes, from `offset` on; each has its own place. */
  sourceAt(offset: number): ByteSource
  /**
   * `length` bytes at `offset`, fewer where the image ends.
   *
   * @param into memory to read into, at least `length` long; fresh memory when left out.
   */
  pread(offset: number, length: number, into?: Uint8Array): Uint8Array
}

const PIECE_BYTES = 1024 * 1024

/**
 * Opens an image for verbs that need more than one pass. What comes through a pipe is copied to a temporary file first
 * (under TMPDIR); that file has no name, so nothing is left behind whatever happens.
 *
 * @param path `-` is standard input.
 * @throws CliError as openImage(), and CLI_IO when there is no room for the copy.
 */
export async function openSeekable(path: string, { signal }: OpenOptions): Promise<SeekableImage> {
  const descriptor = openDescriptor(path)
  if (descriptor.kind === 'disk') return seekable(descriptor, path, signal)
  const pipe = openPipe(descriptor, { path, signal })
  try {
    const fd = await spool(pipe.source)
    return seekable({ fd, size: () => fstatSync(fd).size, close: () => closeSync(fd) }, path, signal)
  } finally {
    pipe.close()
  }
}

function seekable(file: Pick<Descriptor, 'fd' | 'size' | 'close'>, path: string, signal: AbortSignal): SeekableImage {
  const sourceAt = (position: number): ByteSource => new FileSource(file, { path, signal, position })
  const size = file.size()
  const pread = (offset: number, length: number, into = new Uint8Array(Math.max(0, Math.min(length, size - offset)))): Uint8Array =>
    readFully(file.fd, path, into.subarray(0, length), offset)
  return {
    source: sourceAt(0),
    sourceAt,
    size,
    seekable: true,
    path,
    close: () => file.close(),
    pread,
    reread: pread,
  }
}

function readFully(fd: number, path: string, into: Uint8Array, offset: number): Uint8Array {
  let got = 0
  try {
    while (got < into.length) {
      const more = readSync(fd, into, got, into.length - got, offset + got)
      if (more === 0) break
      got += more
    }
  } catch (error) {
    throw fileError(error, path)
  }
  return into.subarray(0, got)
}

async function spool(pipe: ByteSource): Promise<number> {
  const fd = openNameless()
  try {
    for (let bytes = await pipe.read(PIECE_BYTES); bytes !== undefined; bytes = await pipe.read(PIECE_BYTES)) {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
    }
  } catch (error) {
    closeSync(fd)
    throw fileError(error, tmpdir())
  }
  return fd
}

/** A file that has lost its name already. */
function openNameless(): number {
  try {
    const folder = mkdtempSync(join(tmpdir(), 'xr-'))
    const name = join(folder, 'image')
    const fd = openSync(name, 'wx+', 0o600)
    unlinkSync(name)
    rmdirSync(folder)
    return fd
  } catch (error) {
    throw fileError(error, tmpdir())
  }
}
