import { open, readFile, rename, rm, writeFile, type FileHandle } from 'node:fs/promises'

/** Where a transfer that may be interrupted is collected. */
export interface PartStore {
  /** The notes of an earlier transfer; undefined when there is none. */
  notes(): Promise<string | undefined>
  /** Opens what is there, cut to `length` bytes; 0 begins anew. @returns its length, which is less when there is less */
  open(length: number): Promise<number>
  /** Some bytes from `at` of what is there; undefined at the end. */
  read(at: number, max: number): Promise<Uint8Array | undefined>
  append(bytes: Uint8Array): Promise<void>
  /** Notes how far it is, all at once or not at all. */
  note(notes: string): Promise<void>
  /** All is there: makes it safe, gives it its name and forgets the notes. */
  finish(): Promise<void>
  /** Lets go of it; what is there stays. May be called twice. */
  close(): Promise<void>
}

/** Notes hold a key. */
const OWNER_ONLY = 0o600

/** A file that is collected as `PATH.part`, with its notes in `PATH.part.json`. */
export function partFile(path: string): PartStore {
  return new PartFile(path)
}

class PartFile implements PartStore {
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
    this.#file = await open(this.#part, length === 0 ? 'w+' : 'r+').catch((error: unknown) => {
      if (isMissing(error)) return open(this.#part, 'w+')
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

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'
