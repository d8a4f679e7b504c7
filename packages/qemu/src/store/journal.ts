import { closeSync, fdatasync, ftruncateSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { syncDirectory } from '@xen-replication/durable'
import { DIGEST_BYTES, digestOf, encodeHead, encodePageWord, encodeTail, readEntry, type JournalEntry } from './journal-format.ts'

/** Bytes that are gathered before they are written. */
const GATHER_BYTES = 1024 * 1024
const dataSync = promisify(fdatasync)

/** Checkpoints in a file, one behind the other. */
export class Journal {
  /** Number of the first checkpoint. */
  readonly first: number
  readonly #folder: string
  readonly #file: number
  /** End of the last complete checkpoint. */
  #end = 0
  /** End of what was written. */
  #at = 0
  #digest = digestOf()
  #gathered: Uint8Array[] = []
  #gatheredBytes = 0

  private constructor(folder: string, first: number, file: number) {
    this.#folder = folder
    this.first = first
    this.#file = file
  }

  /** @param first number of the checkpoint that will be its first */
  static make(folder: string, first: number): Journal {
    const journal = new Journal(folder, first, openSync(pathOf(folder, first), 'w+', 0o600))
    syncDirectory(folder)
    return journal
  }

  static open(folder: string, first: number): Journal {
    return new Journal(folder, first, openSync(pathOf(folder, first), 'r'))
  }

  /** Of the complete checkpoints, in bytes. */
  get bytes(): number {
    return this.#end
  }

  /** @param bytes copied before this returns; undefined for zeros */
  page(epoch: number, page: number, bytes: Uint8Array | undefined): void {
    this.#begin(epoch)
    this.#put(encodePageWord(page, bytes === undefined))
    if (bytes !== undefined) this.#put(bytes.slice())
    if (this.#gatheredBytes >= GATHER_BYTES) this.#flush()
  }

  /** Resolves when the checkpoint is on the disk. */
  async commit(epoch: number, devices: Uint8Array): Promise<void> {
    this.#begin(epoch)
    for (const part of encodeTail(devices)) this.#put(part)
    const sum = this.#digest.digest()
    this.#gathered.push(sum)
    this.#gatheredBytes += DIGEST_BYTES
    this.#flush()
    await dataSync(this.#file)
    this.#end = this.#at
    this.#digest = digestOf()
  }

  /** Takes back what came since the last commit. */
  drop(): void {
    this.#gathered = []
    this.#gatheredBytes = 0
    this.#at = this.#end
    this.#digest = digestOf()
    ftruncateSync(this.#file, this.#end)
  }

  /** Complete checkpoints, in order. @param pageCount pages of the guest */
  async *entries(pageCount: number): AsyncGenerator<JournalEntry, void, void> {
    let from = 0
    for (;;) {
      const entry = await readEntry((at, length) => Promise.resolve(this.read(at, length)), from, pageCount)
      if (entry === undefined) return
      yield entry
      from = entry.end
    }
  }

  /** @returns fresh bytes, fewer at the end of the file */
  read(at: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    let got = 0
    for (let more = -1; more !== 0 && got < length; got += more) more = readSync(this.#file, bytes, got, length - got, at + got)
    return bytes.subarray(0, got)
  }

  close(): void {
    closeSync(this.#file)
  }

  remove(): void {
    this.close()
    rmSync(pathOf(this.#folder, this.first), { force: true })
  }

  #begin(epoch: number): void {
    if (this.#at === this.#end && this.#gatheredBytes === 0) this.#put(encodeHead(epoch))
  }

  #put(bytes: Uint8Array): void {
    this.#digest.update(bytes)
    this.#gathered.push(bytes)
    this.#gatheredBytes += bytes.length
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#gathered)
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done, bytes.length - done, this.#at + done)
    this.#at += bytes.length
    this.#gathered = []
    this.#gatheredBytes = 0
  }
}

const pathOf = (folder: string, first: number): string => join(folder, `journal.${first}`)

/** Numbers of the first checkpoints of the journals in a folder, in order. */
export function journalsIn(folder: string): readonly number[] {
  const numbers = readdirSync(folder).map((name) => /^journal\.(\d+)$/.exec(name)?.[1])
  return numbers.filter((number) => number !== undefined).map(Number).sort((a, b) => a - b)
}
