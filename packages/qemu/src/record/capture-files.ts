import { open, type FileHandle } from 'node:fs/promises'
import { QemuError } from '../qemu-error.ts'
import type { Direction, Passed } from './record-link.ts'

/** The files of a recording. */
export interface CaptureFiles {
  /** What each file holds, by path. */
  readonly paths: Readonly<Record<Direction | 'times', string>>
  readonly keep: (passed: Passed, bytes: Uint8Array) => Promise<void>
  /** All of it is on the disk when this resolves. May be called twice. */
  close(): Promise<void>
}

/**
 * Makes the files of a recording: `PATH.p2s` and `PATH.s2p` with the bytes of each direction as they were, and `PATH.times.jsonl` with a line for
 * each piece: when, which direction, where in it, how long. Files that are there already are left alone.
 *
 * @throws QemuError QEMU_CAPTURE
 */
export async function createCaptureFiles(path: string): Promise<CaptureFiles> {
  const paths = { p2s: `${path}.p2s`, s2p: `${path}.s2p`, times: `${path}.times.jsonl` }
  const files: FileHandle[] = []
  const closeAll = async (): Promise<void> => {
    for (const file of files.splice(0)) await file.datasync().finally(() => file.close())
  }
  try {
    for (const one of [paths.p2s, paths.s2p, paths.times]) files.push(await open(one, 'wx'))
  } catch (error) {
    await closeAll()
    throw unwritten(path, error)
  }
  const [p2s, s2p, times] = files as [FileHandle, FileHandle, FileHandle]
  return {
    paths,
    keep: async ({ direction, ms, offset, length }, bytes) => {
      try {
        await writeAll(direction === 'p2s' ? p2s : s2p, bytes)
        await times.appendFile(`${JSON.stringify({ ms: Math.round(ms * 1000) / 1000, direction, offset, length })}\n`)
      } catch (error) {
        throw unwritten(path, error)
      }
    },
    close: () => closeAll().catch((error: unknown) => Promise.reject(unwritten(path, error))),
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
}

function unwritten(path: string, cause: unknown): QemuError {
  const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
  const what = cause instanceof Error ? cause.message : String(cause)
  return new QemuError('QEMU_CAPTURE', `the recording ${path} cannot be written: ${what}`, { cause, ...(isThere ? { hint: 'a recording is never written over: choose another name' } : {}) })
}
