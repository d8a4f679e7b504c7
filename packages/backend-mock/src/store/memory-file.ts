import { codeOf, writeAll } from '@xen-replication/durable'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { CHUNK_PAGES } from '../memory/ram.ts'
import type { PageRun } from './host-store.ts'
import { hostError } from './files.ts'

const PAGE = 4096
const CHUNK_BYTES = CHUNK_PAGES * PAGE
const ZEROS = Buffer.alloc(PAGE)
/** Head of an entry of a journal: pfn and pages. */
const ENTRY_HEAD = 8

/** Shortest stretch of zeros that is left out; shorter ones cost less than one more call. */
const ZEROS_LEAST = 16 * PAGE

/** Memory of a guest that is being built. It is not forced to the disk: no guest outlives the power of its host. */
export class NewMemory {
  readonly #path: string
  readonly #written = new Set<number>()
  #file: number | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** Chunks that hold something. */
  get chunks(): ReadonlySet<number> {
    return this.#written
  }

  /** Pages of zeros are left out where nothing was written before. */
  write(runs: Iterable<PageRun>): void {
    this.#file ??= openSync(this.#path, this.#written.size === 0 ? 'w' : 'r+')
    const file = this.#file
    for (const [pfn, bytes] of runs) {
      const chunk = Math.floor(pfn / CHUNK_PAGES)
      for (const [from, to] of this.#written.has(chunk) ? [[0, bytes.length] as const] : [...filled(bytes)]) {
        this.#written.add(chunk)
        writeAll(file, bytes.subarray(from, to), pfn * PAGE + from)
      }
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }
}

/** Stretches of pages that hold something, in bytes. */
function* filled(bytes: Uint8Array): Generator<readonly [from: number, to: number]> {
  let start = -1
  let end = 0
  for (let at = 0; at < bytes.length; at += PAGE) {
    if (ZEROS.compare(bytes, at, at + PAGE) === 0) continue
    if (start >= 0 && at - end >= ZEROS_LEAST) {
      yield [start, end]
      start = -1
    }
    if (start < 0) start = at
    end = at + PAGE
  }
  if (start >= 0) yield [start, end]
}

/** Writes pages aside, to be put in place once that is decided. @returns chunks they belong to. */
export function writeJournal(path: string, runs: Iterable<PageRun>): Set<number> {
  const chunks = new Set<number>()
  const file = openSync(path, 'w')
  try {
    let at = 0
    for (const [pfn, bytes] of runs) {
      const head = new Uint32Array([pfn, bytes.length / PAGE])
      writeAll(file, new Uint8Array(head.buffer), at)
      writeAll(file, bytes, at + ENTRY_HEAD)
      at += ENTRY_HEAD + bytes.length
      chunks.add(Math.floor(pfn / CHUNK_PAGES))
    }
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return chunks
}

/** Puts pages that were written aside in place; doing it again does no harm. */
export function applyJournal(journal: string, memory: string): void {
  if (!existsSync(journal)) return
  const bytes = readFileSync(journal)
  const file = openSync(memory, 'r+')
  try {
    for (let at = 0; at < bytes.length; ) {
      const pfn = bytes.readUInt32LE(at)
      const end = at + ENTRY_HEAD + bytes.readUInt32LE(at + 4) * PAGE
      writeAll(file, bytes.subarray(at + ENTRY_HEAD, end), pfn * PAGE)
      at = end
    }
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  rmSync(journal, { force: true })
}

/** Reads a chunk; what lies behind the end of the file is zeros. */
export function readChunk(path: string, chunk: number, into: Uint8Array): void {
  const file = openMemory(path)
  try {
    for (let done = 0; done < CHUNK_BYTES; ) {
      const read = readSync(file, into, done, CHUNK_BYTES - done, chunk * CHUNK_BYTES + done)
      if (read === 0) {
        into.fill(0, done)
        break
      }
      done += read
    }
  } finally {
    closeSync(file)
  }
}

function openMemory(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    throw hostError(codeOf(error) === 'ENOENT' ? 'the memory of a guest is gone' : 'the memory of a guest cannot be read', error)
  }
}
