import { closeSync, existsSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { CliError } from '../cli-error.ts'
import { fileError } from '../input/file-error.ts'

/** A file in the making. It gets its name only when it is whole, so an interrupted command leaves no half of it. */
export interface NewFile {
  readonly fd: number
  /** Writes all of `bytes` behind what was written before, synchronously. */
  write(bytes: Uint8Array): void
  /** Puts the file in its place. */
  commit(): void
  /** Removes it; does nothing after `commit()`. For a `finally`. */
  discard(): void
}

export interface NewFileOptions {
  /** Replace a file of that name. */
  readonly force?: true
}

/**
 * Begins a file beside its final place.
 *
 * @throws CliError CLI_FILE_EXISTS | CLI_FILE_DENIED | CLI_FILE_NOT_FOUND (the folder) | CLI_IO
 */
export function createFile(path: string, { force }: NewFileOptions = {}): NewFile {
  if (force === undefined && existsSync(path)) {
    throw new CliError('CLI_FILE_EXISTS', `${path}: the file exists already`, { hint: 'choose another name or remove it first' })
  }
  const partial = join(dirname(path), `.${basename(path)}.part-${process.pid}`)
  const attempt = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw fileError(error, path)
    }
  }
  const fd = attempt(() => openSync(partial, 'wx', 0o600))
  let open = true
  return {
    fd,
    write: (bytes) =>
      attempt(() => {
        for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
      }),
    commit: () => {
      attempt(() => {
        fsyncSync(fd)
        renameSync(partial, path)
      })
      open = false
      closeSync(fd)
    },
    discard: () => {
      if (!open) return
      open = false
      closeSync(fd)
      unlinkSync(partial)
    },
  }
}
