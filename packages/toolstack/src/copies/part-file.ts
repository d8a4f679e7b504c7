import type { PartStore } from '@xen-replication/session'
import { open, readFile, rename, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Notes hold a key, and images the secrets of their guests. */
const OWNER_ONLY = 0o600

/** A file that is collected as `PATH.part`, with its notes in `PATH.part.json`. */
export class PartFile implements PartStore {
  readonly #path: string
  readonly #part: string
  readonly #notes: string
  #file: FileHandle | undefined
  #end = 0

  constructor(path: string) {
    this.#path = path
    this.#part = `${path}.part`
    this.#notes = `${path}.part.json`
  }

  notes(): Promise<string | undefined> {
    return readFile(this.#notes, 'utf8').catch((error: unknown) => {
      if (isMissing(error)) return undefined
      throw error
    })
  }

  async open(length: number): Promise<number> {
    await this.close()
    this.#file = await open(this.#part, length === 0 ? 'w+' : 'r+', OWNER_ONLY).catch((error: unknown) => {
      if (isMissing(error)) return open(this.#part, 'w+', OWNER_ONLY)
      throw error
    })
    this.#end = Math.min(length, (await this.#file.stat()).size)
    await this.#file.truncate(this.#end)
    return this.#end
  }

  async read(at: number, max: number): Promise<Uint8Array | undefined> {
    const { buffer, bytesRead } = await this.#opened().read(Buffer.allocUnsafe(max), 0, max, at)
    return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead)
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#opened().write(bytes, done, bytes.length - done, this.#end)
      done += bytesWritten
      this.#end += bytesWritten
    }
  }

  async note(notes: string): Promise<void> {
    const fresh = `${this.#notes}.new`
    await writeFile(fresh, notes, { mode: OWNER_ONLY })
    await rename(fresh, this.#notes)
  }

  async finish(): Promise<void> {
    await this.#opened().sync()
    await this.close()
    await rename(this.#part, this.#path)
    await rm(this.#notes, { force: true })
    await syncFolder(dirname(this.#path))
  }

  /** What is there is of no use: nobody may go on with it. */
  async forget(): Promise<void> {
    await this.close()
    await rm(this.#notes, { force: true })
    await rm(this.#part, { force: true })
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }

  #opened(): FileHandle {
    if (this.#file === undefined) throw new Error('the part is not open')
    return this.#file
  }
}

/** The name, too, is to outlive a power cut. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined) // not everybody may read the folder
  try {
    await folder?.sync()
  } finally {
    await folder?.close()
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'
