import { writeWhole } from '@xen-replication/durable'
import { appendFileSync, closeSync, existsSync, mkdirSync, openSync, readSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GuestRecord } from '../guest/record.ts'
import type { GuestEvent } from '../guest/timeline.ts'
import { hostError } from './files.ts'
import type { MemoryToStore, StoredGuest, StoredMemory } from './host-store.ts'
import { applyJournal, NewMemory, readChunk, writeJournal } from './memory-file.ts'
import { recordIn, textOf, type RecordFile } from './record-text.ts'

/**
 * Directory of one guest: `record.json`; `events-N`, a line for each event since the N-th record; `memory`, sparse, by pfn; `p2m`, machine
 * frames of a PV guest; `journal-N`, pages that belong to the N-th record and are not in place yet; `lease`, a lock.
 */
export class GuestDirectory {
  readonly path: string
  /** While the guest is being built in this process. */
  #building: NewMemory | undefined
  #known: { readonly stamp: string; readonly file: RecordFile } | undefined
  #events: { readonly generation: number; size: number; readonly list: GuestEvent[] } | undefined

  constructor(path: string) {
    this.path = path
  }

  /** Record and events; undefined when the guest is gone. */
  read(): StoredGuest | undefined {
    for (;;) {
      const stamp = this.#stamp()
      if (stamp === undefined) return undefined
      const file = this.#file(stamp)
      if (file === undefined) continue
      const events = this.#readEvents(file.record.generation)
      if (this.#stamp() === stamp) return { record: file.record, events }
    }
  }

  /** Writes the record, events being kept. */
  put(record: GuestRecord): void {
    mkdirSync(this.path, { recursive: true })
    this.#write({ format: 'xr-mock-guest', version: 1, record, chunks: this.#current()?.chunks ?? [] })
  }

  append(event: GuestEvent): void {
    const file = this.#current()
    if (file !== undefined) appendFileSync(this.#name('events', file.record.generation), `${JSON.stringify(event)}\n`)
  }

  memory(record: GuestRecord): StoredMemory {
    const chunks = new Set(this.#current()?.chunks ?? [])
    const memory = join(this.path, 'memory')
    applyJournal(this.#name('journal', record.generation), memory)
    for (const name of readdirSync(this.path)) if (isLeft(name, record.generation)) rmSync(join(this.path, name), { force: true })
    const building = record.phase === 'building' ? (this.#building = new NewMemory(memory)) : undefined
    return {
      p2m: record.kind === 'pv' && record.phase === 'built' ? this.#readP2m() : undefined,
      read: (chunk, into) => {
        const there = chunks.has(chunk) || building?.chunks.has(chunk) === true
        if (there) readChunk(memory, chunk, into)
        return there
      },
      writeAhead: (pages) => {
        if (building === undefined || this.#building !== building) return false
        try {
          building.write(pages)
        } catch (cause) {
          throw hostError('the memory of a guest that is being built cannot be stored', cause)
        }
        return true
      },
    }
  }

  /** Memory of a guest that had none yet. @returns what `commit()` takes. */
  writeFirst({ pages, p2m }: MemoryToStore): ReadonlySet<number> {
    const building = (this.#building ??= new NewMemory(join(this.path, 'memory')))
    building.write(pages)
    building.close()
    if (p2m !== undefined) writeWhole(join(this.path, 'p2m'), new Uint8Array(p2m.buffer, p2m.byteOffset, p2m.byteLength))
    return building.chunks
  }

  /** Pages that are to be in memory once the record of `generation` is written. @returns what `commit()` takes. */
  writeNext(generation: number, { pages }: MemoryToStore): ReadonlySet<number> {
    return writeJournal(this.#name('journal', generation), pages)
  }

  /** Writes the record, which makes the memory that was written before count, and the events that came meanwhile. */
  commit(record: GuestRecord, written: ReadonlySet<number>, taken: number): void {
    const before = this.#current()
    const later = before === undefined ? [] : this.#readEvents(before.record.generation).slice(taken)
    writeFileSync(this.#name('events', record.generation), later.map((event) => `${JSON.stringify(event)}\n`).join(''))
    const chunks = new Set([...(before?.chunks ?? []), ...written])
    this.#write({ format: 'xr-mock-guest', version: 1, record: { ...record, name: before?.record.name ?? record.name }, chunks: [...chunks].sort((a, b) => a - b) })
    this.giveUp()
    applyJournal(this.#name('journal', record.generation), join(this.path, 'memory'))
    if (before !== undefined && before.record.generation !== record.generation) rmSync(this.#name('events', before.record.generation), { force: true })
  }

  /** The guest is not being built any more: it is complete, or gone. */
  giveUp(): void {
    this.#building?.close()
    this.#building = undefined
  }

  #write(file: RecordFile): void {
    writeWhole(join(this.path, 'record.json'), textOf(file))
  }

  #current(): RecordFile | undefined {
    const stamp = this.#stamp()
    return stamp === undefined ? undefined : this.#file(stamp)
  }

  /** What tells one writing of the record from another. */
  #stamp(): string | undefined {
    const stat = statSync(join(this.path, 'record.json'), { throwIfNoEntry: false, bigint: true })
    return stat === undefined ? undefined : `${stat.ino} ${stat.mtimeNs} ${stat.size}`
  }

  #file(stamp: string): RecordFile | undefined {
    if (this.#known?.stamp === stamp) return this.#known.file
    const path = join(this.path, 'record.json')
    const file = recordIn(readFileSync(path, 'utf8'), path)
    if (this.#stamp() !== stamp) return undefined
    this.#known = { stamp, file }
    return file
  }

  /** Events that were written whole; the last line may be cut by a crash. */
  #readEvents(generation: number): readonly GuestEvent[] {
    if (this.#events?.generation !== generation) this.#events = { generation, size: 0, list: [] }
    const known = this.#events
    const path = this.#name('events', generation)
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
    if (size <= known.size) return known.list
    const bytes = readFrom(path, known.size, size)
    const end = bytes.lastIndexOf(0x0a) + 1
    for (const line of bytes.subarray(0, end).toString('utf8').split('\n')) if (line !== '') known.list.push(JSON.parse(line) as GuestEvent)
    known.size += end
    return known.list
  }

  #readP2m(): Uint32Array {
    try {
      const bytes = readFileSync(join(this.path, 'p2m'))
      return new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
    } catch (cause) {
      throw hostError('the p2m of a guest cannot be read', cause)
    }
  }

  #name(what: 'events' | 'journal', generation: number): string {
    return join(this.path, `${what}-${generation}`)
  }

  get exists(): boolean {
    return existsSync(join(this.path, 'record.json'))
  }
}

/** Whether a file was left by a process that died while it stored a guest. */
function isLeft(name: string, generation: number): boolean {
  const events = /^events-(\d+)$/.exec(name)?.[1]
  return name.startsWith('journal-') || name.endsWith('.new') || (events !== undefined && Number(events) < generation)
}

function readFrom(path: string, from: number, to: number): Buffer {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(to - from)
    return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, from))
  } finally {
    closeSync(file)
  }
}
