import type { ByteSource, VerifyOptions } from '@xen-replication/format'
import { readSync } from 'node:fs'
import { throwIfInterrupted } from '../cli-error.ts'
import { openDescriptor, type Descriptor } from './descriptor.ts'
import { deviceSource } from './device-source.ts'
import { fileError } from './file-error.ts'
import { FileSource } from './file-source.ts'
import { PipeSource } from './pipe-source.ts'

type Reread = NonNullable<VerifyOptions['reread']>

/** An image whose bytes can be read once, in order. */
export interface OpenImage {
  readonly source: ByteSource
  /** Bytes, undefined when it comes through a pipe. */
  readonly size: number | undefined
  /** The source passes over bytes without reading them. */
  readonly seekable: boolean
  /** Reads anywhere in a seekable image, beside the source. */
  readonly reread: Reread | undefined
  /** As given on the command line. */
  readonly path: string
  close(): void
}

export interface OpenOptions {
  /** Ends reads with CLI_INTERRUPTED. */
  readonly signal: AbortSignal
}

/**
 * Opens an image to be read once, in order.
 *
 * @param path `-` is standard input.
 * @throws CliError CLI_FILE_NOT_FOUND | CLI_FILE_DENIED | CLI_NOT_A_FILE | CLI_USAGE (a terminal) | CLI_IO
 */
export async function openImage(path: string, { signal }: OpenOptions): Promise<OpenImage> {
  throwIfInterrupted(signal)
  const descriptor = openDescriptor(path)
  if (descriptor.kind === 'disk') {
    const source = new FileSource(descriptor, { path, signal })
    return { source, size: descriptor.size(), seekable: true, reread: rereadOf(descriptor.fd, path), path, close: () => descriptor.close() }
  }
  const pipe = openPipe(descriptor, { path, signal })
  return Promise.resolve({ source: pipe.source, size: undefined, seekable: false, reread: undefined, path, close: () => pipe.close() })
}

function rereadOf(fd: number, path: string): Reread {
  return (offset, length) => {
    const bytes = new Uint8Array(length)
    try {
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset))
    } catch (error) {
      throw fileError(error, path)
    }
  }
}

/** The source over what can be read in order only. */
export function openPipe(descriptor: Descriptor, { path, signal }: { path: string; signal: AbortSignal }): { source: ByteSource; close(): void } {
  if (descriptor.kind === 'device') return { source: deviceSource(descriptor.fd, { path, signal }), close: () => descriptor.close() }
  const source = new PipeSource(descriptor, { path, signal })
  const close = (): void => {
    source.close()
    if (!source.closesDescriptor) descriptor.close()
  }
  return { source, close }
}
