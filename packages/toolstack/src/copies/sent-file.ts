import { LinkError } from '@xen-replication/plugin-api'
import type { CopyNotes, CopySource } from '@xen-replication/session'
import { createHash } from 'node:crypto'
import { open, readFile, rename, rm, writeFile, type FileHandle } from 'node:fs/promises'

/** Notes hold a key. */
const OWNER_ONLY = 0o600

/** An image on the disk that is sent. */
export interface SentFile {
  readonly bytes: number
  readonly source: CopySource
  close(): Promise<void>
}

/**
 * Opens a file to be sent.
 *
 * @param onRead told how far it is, in bytes.
 * @throws LinkError LINK_ADDRESS when it is not there, or no file that can be read from any place
 */
export async function openSentFile(path: string, onRead: (bytes: number) => void): Promise<SentFile> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new LinkError('LINK_ADDRESS', `${path} cannot be read`, { cause, hint: cause instanceof Error ? cause.message : undefined })
  })
  const found = await file.stat()
  if (!found.isFile()) {
    await file.close()
    throw new LinkError('LINK_ADDRESS', `${path} is no file`, { hint: 'an image that was saved to a file can be sent; `xr save --peer xr DOM URL` sends a guest' })
  }
  return { bytes: found.size, source: { read: (at, max) => pieceOf(file, at, max, onRead) }, close: () => file.close() }
}

async function pieceOf(file: FileHandle, at: number, max: number, onRead: (bytes: number) => void): Promise<Uint8Array | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(max), 0, max, at)
  onRead(at + bytesRead)
  return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead)
}

/**
 * Notes of a transfer beside the file that is sent, one for each place it is sent to. Where they cannot be kept the transfer goes on without.
 *
 * @param trouble told why, in that case
 */
export function notesBeside(path: string, url: string, trouble: (error: unknown) => void): CopyNotes {
  const notes = `${path}.${createHash('sha256').update(url).digest('hex').slice(0, 8)}.sending`
  return {
    load: () => readFile(notes, 'utf8').catch(() => undefined),
    save: async (text) => {
      try {
        await writeFile(`${notes}.new`, text, { mode: OWNER_ONLY })
        await rename(`${notes}.new`, notes)
      } catch (error) {
        trouble(error)
      }
    },
    remove: () => rm(notes, { force: true }),
  }
}
