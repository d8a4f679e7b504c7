import { closeSync, fdatasync, ftruncateSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { syncDirectory, writeAll } from '@xen-replication/durable'
import { DIGEST_BYTES, digestOf, encodeHead, encodePageWord, encodeTail, epochOf, HEAD_BYTES, readEntry, type Complete, type JournalEntry } from './journal-format.ts'

/** Bytes that are gathered before they are written. */
const GATHER_BYTES = 1024 * 1024
/** Room that is written ahead. Where checkpoints are larger than that, it is not worth it. */
const AHEAD_BYTES = 4 * 1024 * 1024
const ZEROS = new Uint8Array(AHEAD_BYTES)
const dataSync = promisify(fdatasync)

/** Two files, used by turns. */
export const JOURNALS = ['journal.a', 'journal.b'] as const

/**
 * Checkpoints in a file, one behind the other. The file is written over again and again: bytes in place of others reach the disk sooner than
 * ones that make a file longer. So behind the last checkpoint there may be anything, even what a guest has made up; the key tells.
 */
export class Journal {
  readonly #file: number
  readonly #key: Uint8Array
  readonly #mode: 'r' | 'w+'
  /** End of the last complete checkpoint. */
  #end = 0
  /** End of what was written. */
  #at = 0
  /** Bytes up to here are on the disk already, whatever they are. */
  #ready = 0
  #digest: ReturnType<typeof digestOf>
  readonly #gathered = Buffer.allocUnsafe(GATHER_BYTES + DIGEST_BYTES)
  #fill = 0
  readonly #newest = new Map<number, number | undefined>()
  readonly #coming = new Map<number, number | undefined>()

  private constructor(path: string, mode: 'r' | 'w+', key: Uint8Array) {
    this.#file = openSync(path, mode, 0o600)
    this.#key = key
    this.#mode = mode
    this.#digest = digestOf(key)
  }

  /** An empty one. @param key only who has it can write checkpoints that count */
  static make(folder: string, name: string, key: Uint8Array): Journal {
    const journal = new Journal(join(folder, name), 'w+', key)
    syncDirectory(folder)
    return journal
  }

  static open(folder: string, name: string, key: Uint8Array): Journal {
    return new Journal(join(folder, name), 'r', key)
  }

  /** Of the complete checkpoints, in bytes. */
  get bytes(): number {
    return this.#end
  }

  /** Places of the pages of its complete checkpoints, as they were written last; undefined for zeros. */
  get newest(): ReadonlyMap<number, number | undefined> {
    return this.#newest
  }

  /** @param bytes copied before this returns; undefined for zeros */
  page(epoch: number, page: number, bytes: Uint8Array | undefined): void {
    this.#begin(epoch)
    this.#put(encodePageWord(page, bytes === undefined))
    this.#coming.set(page, bytes === undefined ? undefined : this.#at + this.#fill)
    if (bytes !== undefined) this.#put(bytes)
  }

  /** Resolves when the checkpoint is on the disk; with `process`, when it is with the operating system. */
  async commit(epoch: number, complete: Complete, durability: 'power' | 'process'): Promise<void> {
    this.#begin(epoch)
    for (const part of encodeTail(complete)) this.#put(part)
    this.#digest.update(this.#gathered.subarray(0, this.#fill))
    this.#fill += this.#digest.digest().copy(this.#gathered, this.#fill)
    this.#write()
    if (durability === 'power') await this.sync()
    for (const [page, at] of this.#coming) this.#newest.set(page, at)
    this.#end = this.#at
    this.#forget()
  }

  /** Resolves when all that was written is on the disk. */
  sync(): Promise<void> {
    return dataSync(this.#file)
  }

  /** Takes back what came since the last commit. */
  drop(): void {
    this.#forget()
  }

  /** Begins at the front again: the checkpoints in it are not needed any more. */
  rewind(): void {
    this.#end = 0
    this.#newest.clear()
    this.#forget()
  }

  /** Writes room for what comes next, if there is little. @param most length of the file, in bytes @param size of a checkpoint, in bytes */
  async prepare(most: number, size: number): Promise<void> {
    const from = Math.max(this.#ready, this.#at)
    const length = Math.min(AHEAD_BYTES, most - from)
    if (size > AHEAD_BYTES || length <= 0 || from - this.#at > AHEAD_BYTES / 2) return
    writeAll(this.#file, ZEROS.subarray(0, length), from)
    this.#ready = from + length
    await this.sync()
  }

  /** Complete checkpoints that follow each other, in order. @param pageCount pages of the guest */
  async *entries(pageCount: number): AsyncGenerator<JournalEntry, void, void> {
    const read = (at: number, length: number): Promise<Uint8Array> => Promise.resolve(this.read(at, length))
    for (let entry = await readEntry(read, 0, { pageCount, key: this.#key }); entry !== undefined; ) {
      yield entry
      const next = await readEntry(read, entry.end, { pageCount, key: this.#key })
      entry = next?.epoch === entry.epoch + 1 ? next : undefined
    }
  }

  /** Number of its first checkpoint, if there is one. */
  first(): number | undefined {
    return epochOf(this.read(0, HEAD_BYTES))
  }

  /** @returns fresh bytes, fewer at the end of the file */
  read(at: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    let got = 0
    for (let more = -1; more !== 0 && got < length; got += more) more = readSync(this.#file, bytes, got, length - got, at + got)
    return bytes.subarray(0, got)
  }

  close(): void {
    if (this.#mode === 'w+') ftruncateSync(this.#file, this.#end)
    closeSync(this.#file)
  }

  /** Nothing of the next checkpoint is there. */
  #forget(): void {
    this.#fill = 0
    this.#at = this.#end
    this.#coming.clear()
    this.#digest = digestOf(this.#key)
  }

  #begin(epoch: number): void {
    if (this.#at === this.#end && this.#fill === 0) this.#put(encodeHead(epoch))
  }

  #put(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const part = bytes.subarray(done, done + GATHER_BYTES - this.#fill)
      this.#gathered.set(part, this.#fill)
      this.#fill += part.length
      done += part.length
      if (this.#fill < GATHER_BYTES) continue
      this.#digest.update(this.#gathered.subarray(0, this.#fill))
      this.#write()
    }
  }

  #write(): void {
    const bytes = this.#gathered.subarray(0, this.#fill)
    writeAll(this.#file, bytes, this.#at)
    this.#at += bytes.length
    this.#ready = Math.max(this.#ready, this.#at)
    this.#fill = 0
  }
}

/** The journals that are there. */
export function journalsIn(folder: string): readonly string[] {
  const names = readdirSync(folder)
  return JOURNALS.filter((name) => names.includes(name))
}
