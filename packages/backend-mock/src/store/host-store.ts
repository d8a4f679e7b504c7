import type { GuestEvent } from '../guest/timeline.ts'
import type { GuestRecord } from '../guest/record.ts'

/** A guest, and what has happened to it since its record was written. */
export interface StoredGuest {
  readonly record: GuestRecord
  readonly events: readonly GuestEvent[]
}

/** Pages side by side: the first one's pfn, and the contents of all. */
export type PageRun = readonly [pfn: number, bytes: Uint8Array]

/** Memory of a guest to be stored. */
export interface MemoryToStore {
  /** Machine frames of a PV guest's pfns. */
  readonly p2m: Uint32Array | undefined
  /** Pages to store, ascending, none across a chunk of `Ram`; all others are as they were, zeros at first. */
  readonly pages: Iterable<PageRun>
}

/** Memory of a guest as it was stored. */
export interface StoredMemory {
  readonly p2m: Uint32Array | undefined
  /** Fills `into` with a chunk of `Ram`. @returns false, and leaves it alone, when that never held anything but zeros */
  read(chunk: number, into: Uint8Array): boolean
  /** Stores pages of a guest that is being built ahead of `save()`, which then leaves them out. @returns false for any other guest */
  writeAhead(pages: Iterable<PageRun>): boolean
}

/** What may be changed while nobody else changes anything. */
export interface Change {
  /** All guests that exist, those being built included. */
  guests(): readonly GuestRecord[]
  nextDomId(): number
  put(record: GuestRecord): void
  remove(domId: number): void
  append(domId: number, event: GuestEvent): void
}

/** Sole use of a guest's memory. */
export interface Lease {
  release(): void
}

/** Where a host keeps its guests. */
export interface HostStore {
  readonly seed: number
  readonly memoryBytes: number
  /** Whether guests outlive this process, so that their memory must be stored. */
  readonly lasting: boolean
  guests(): readonly StoredGuest[]
  guest(domId: number): StoredGuest | undefined
  /** Runs `work` while nobody else changes anything. */
  change<T>(work: (change: Change) => T): Promise<T>
  /** @throws BackendError BACKEND_STATE when another process has it. */
  lease(domId: number): Lease
  memory(record: GuestRecord): StoredMemory
  /**
   * Stores a record with its memory as one step: after a crash either both are there or neither.
   *
   * @param taken events since the last record that this one contains; later ones are kept.
   */
  save(record: GuestRecord, memory: MemoryToStore, taken: number): Promise<void>
  close(): Promise<void>
}
