import { codeOf, writeAll } from '@xen-replication/durable'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { CHUNK_PAGES } from '../memory/ram.ts'
import type { PageRun } from './host-store.ts'
import { hostError } from './files.ts'

const PAGE = 4096
const CHUNK_BYTES = CHUNK_PAGES * PAGE
const ZEROS = Buffer.alloc(PAGE)
/** Head of an entry of a journal: pfn and pages. */
const ENTRY_HEAD = 8

/** Writes the memory of a new guest; pages of zeros are left out. @returns chunks that hold something. */
export async function writeMemory(path: string, runs: Iterable<PageRun>): Promise<Set<number>> {
  const chunks = new Set<number>()
  const file = await open(path, 'w')
  try {
    for (const [pfn, bytes] of runs) {
      for (const [from, to] of filled(bytes)) {
        chunks.add(Math.floor(pfn / CHUNK_PAGES))
        await file.write(bytes, from, to - from, pfn * PAGE + from)
      }
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return chunks
}

/** Stretches of pages that are not all zeros, in bytes. */
function* filled(bytes: Uint8Array): Generator<readonly [from: number, to: number]> {
  let start = -1
  for (let at = 0; at <= bytes.length; at += PAGE) {
    const holds = at < bytes.length && ZEROS.compare(bytes, at, at + PAGE) !== 0
    if (holds && start < 0) start = at
    if (!holds && start >= 0) {
      yield [start, at]
      start = -1
    }
  }
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
export function readChunk(path: string, chunk: number): Uint8Array {
  const bytes = new Uint8Array(CHUNK_BYTES)
  const file = openMemory(path)
  try {
    for (let done = 0; done < CHUNK_BYTES; ) {
      const read = readSync(file, bytes, done, CHUNK_BYTES - done, chunk * CHUNK_BYTES + done)
      if (read === 0) break
      done += read
    }
  } finally {
    closeSync(file)
  }
  return bytes
}

function openMemory(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    throw hostError(codeOf(error) === 'ENOENT' ? 'the memory of a guest is gone' : 'the memory of a guest cannot be read', error)
  }
}
