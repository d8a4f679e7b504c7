import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { syncDirectory, writeWhole, type Lock } from '@xen-replication/durable'
import type { RamBlock } from '@xen-replication/format'
import { QemuError } from '../qemu-error.ts'
import type { CheckpointStore, MachineFacts } from './checkpoint-store.ts'
import { foldJournal } from './fold-journal.ts'
import { Journal } from './journal.ts'
import { MemoryImage } from './memory-image.ts'
import { devicesIn, lockStore, PagePlaces, readState, sha256, storeError, writeState, type StoreState } from './store-state.ts'

export interface StoreLimits {
  /** Most memory of a guest, in bytes; default 256 GiB. */
  readonly memoryBytes?: number
  /** When a journal is this long its pages go to the image; two of them are there at most. In bytes, default 256 MiB. */
  readonly journalBytes?: number
}

const GIB = 2 ** 30
const MIB = 2 ** 20

/** A store in a directory: an image of memory, its checksums, and journals of what came since. @throws QemuError QEMU_STORE_BUSY, QEMU_STORE_IO, QEMU_STORE_DAMAGED */
export function openDirectoryStore(path: string, { memoryBytes = 256 * GIB, journalBytes = 256 * MIB }: StoreLimits = {}): CheckpointStore {
  return new DirectoryStore(path, lockStore(path), memoryBytes, journalBytes)
}

/** What `page` and `commit` mean: the first state fills an image, later ones go to a journal. */
type Phase =
  | { readonly is: 'idle' }
  | { readonly is: 'filling'; readonly guest: Guest }
  | { readonly is: 'following'; readonly guest: Guest; readonly journal: Journal; readonly epoch: number }

interface Guest {
  readonly facts: MachineFacts
  readonly folder: string
  readonly image: MemoryImage
  readonly places: PagePlaces
}

class DirectoryStore implements CheckpointStore {
  readonly #path: string
  readonly #lock: Lock
  readonly #memoryBytes: number
  readonly #journalBytes: number
  #phase: Phase = { is: 'idle' }
  #folding: Promise<void> = Promise.resolve()

  constructor(path: string, lock: Lock, memoryBytes: number, journalBytes: number) {
    this.#path = path
    this.#lock = lock
    this.#memoryBytes = memoryBytes
    this.#journalBytes = journalBytes
  }

  begin(facts: MachineFacts): Promise<void> {
    return this.#doing(async () => {
      const bytes = facts.blocks.reduce((sum, { length }) => sum + length, 0)
      if (bytes > this.#memoryBytes) throw new QemuError('QEMU_TOO_LARGE', `the guest has ${bytes} bytes of memory, ${this.#memoryBytes} are the most`)
      await this.#leave()
      const kept = readState(this.#path)?.folder
      this.#sweep(kept)
      const folder = `g${kept === undefined ? 0 : Number(kept.slice(1)) + 1}`
      mkdirSync(join(this.#path, folder), { mode: 0o700 })
      const places = new PagePlaces(facts)
      this.#phase = { is: 'filling', guest: { facts, folder, places, image: MemoryImage.make(join(this.#path, folder), places.count) } }
    })
  }

  page(block: RamBlock, offset: number, bytes: Uint8Array | undefined): void {
    const phase = this.#phase
    try {
      if (phase.is === 'filling') phase.guest.image.write(phase.guest.places.of(block.name, offset), bytes)
      if (phase.is === 'following') phase.journal.page(phase.epoch + 1, phase.guest.places.of(block.name, offset), bytes)
    } catch (error) {
      throw storeError(this.#path, error)
    }
  }

  commit(devices: Uint8Array): Promise<number> {
    return this.#doing(() => {
      const phase = this.#phase
      if (phase.is === 'filling') return this.#commitFirst(phase.guest, devices)
      if (phase.is === 'following') return this.#commitNext(phase, devices)
      throw new QemuError('QEMU_OUT_OF_STEP', 'a checkpoint without a guest')
    })
  }

  drop(): Promise<void> {
    return this.#doing(() => {
      if (this.#phase.is === 'following') this.#phase.journal.drop()
      return Promise.resolve()
    })
  }

  async close(): Promise<void> {
    await this.#leave().catch(() => undefined)
    this.#lock.release()
  }

  async #commitFirst(guest: Guest, devices: Uint8Array): Promise<number> {
    const folder = join(this.#path, guest.folder)
    await guest.image.save(folder, 0)
    writeWhole(devicesIn(folder, 0), devices)
    syncDirectory(this.#path)
    const journal = Journal.make(folder, 1)
    writeState(this.#path, { ...guest.facts, folder: guest.folder, epoch: 0, devicesSha256: sha256(devices) })
    this.#phase = { is: 'following', guest, journal, epoch: 0 }
    this.#sweep(guest.folder)
    return 0
  }

  async #commitNext({ guest, journal, epoch }: Phase & { is: 'following' }, devices: Uint8Array): Promise<number> {
    const next = epoch + 1
    await journal.commit(next, devices)
    this.#phase = { is: 'following', guest, journal, epoch: next }
    if (journal.bytes >= this.#journalBytes) await this.#fold(guest, journal, next, devices)
    return next
  }

  /** Goes on in a new journal while the pages of this one go to the image; waits where the last one is not done. */
  async #fold(guest: Guest, journal: Journal, epoch: number, devices: Uint8Array): Promise<void> {
    await this.#folding
    this.#phase = { is: 'following', guest, journal: Journal.make(join(this.#path, guest.folder), epoch + 1), epoch }
    const state: StoreState = { ...guest.facts, folder: guest.folder, epoch, devicesSha256: sha256(devices) }
    this.#folding = foldJournal(this.#path, state, { journal, image: guest.image, devices, pages: guest.places.count })
    this.#folding.catch(() => undefined) // told to the next who waits for it
  }

  /** Lets go of the guest that is there. */
  async #leave(): Promise<void> {
    const phase = this.#phase
    this.#phase = { is: 'idle' }
    const folding = this.#folding
    this.#folding = Promise.resolve()
    try {
      await folding
    } finally {
      if (phase.is === 'following') phase.journal.close()
      if (phase.is !== 'idle') phase.guest.image.close()
    }
  }

  /** Removes what is left of guests that are not kept. */
  #sweep(kept: string | undefined): void {
    for (const name of readdirSync(this.#path)) {
      if (/^g\d+$/.test(name) && name !== kept) rmSync(join(this.#path, name), { recursive: true, force: true })
    }
  }

  async #doing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw storeError(this.#path, error)
    }
  }
}
