import type { ByteSource } from '@xen-replication/format'
import { closeSync, fstatSync, openSync } from 'node:fs'
import { CliError } from '../cli-error.ts'
import { fileError } from './file-error.ts'
import { FileSource } from './file-source.ts'
import { PipeSource } from './pipe-source.ts'

/** An image whose bytes can be read once, in order. */
export interface OpenImage {
  readonly source: ByteSource
  /** Bytes, undefined when it comes through a pipe. */
  readonly size: number | undefined
  /** The source passes over bytes without reading them. */
  readonly seekable: boolean
  /** As given on the command line. */
  readonly path: string
  close(): void
}

export interface OpenOptions {
  /** Ends reads with CLI_INTERRUPTED. */
  readonly signal: AbortSignal
}

export const STDIN_FD = 0

/** An open descriptor and how to be rid of it. Standard input is not ours to close. */
export interface OpenDescriptor {
  readonly fd: number
  readonly isFile: boolean
  readonly size: number
  close(): void
}

/**
 * Opens an image to be read once, in order.
 *
 * @param path `-` is standard input.
 * @throws CliError CLI_FILE_NOT_FOUND | CLI_FILE_DENIED | CLI_NOT_A_FILE | CLI_IO
 */
export async function openImage(path: string, { signal }: OpenOptions): Promise<OpenImage> {
  const descriptor = openDescriptor(path)
  const { fd, isFile, size } = descriptor
  if (isFile) {
    return { source: new FileSource(fd, { path, signal }), size, seekable: true, path, close: descriptor.close }
  }
  const source = new PipeSource(fd, { path, signal })
  const close = (): void => {
    source.close()
    descriptor.close()
  }
  return Promise.resolve({ source, size: undefined, seekable: false, path, close })
}

/** Opens a path or standard input for reading. */
export function openDescriptor(path: string): OpenDescriptor {
  try {
    const fd = path === '-' ? STDIN_FD : openSync(path, 'r')
    const close = (): void => {
      if (fd !== STDIN_FD) closeSync(fd)
    }
    const stat = fstatSync(fd)
    if (!stat.isDirectory()) return { fd, isFile: stat.isFile(), size: stat.size, close }
    close()
  } catch (error) {
    throw fileError(error, path)
  }
  throw new CliError('CLI_NOT_A_FILE', `${path}: this is a folder`, { hint: 'give the image file itself' })
}
