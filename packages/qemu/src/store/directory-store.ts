import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { syncDirectory, writeWhole, type Lock } from '@xen-replication/durable'
import type { RamBlock } from '@xen-replication/format'
import { QemuError } from '../qemu-error.ts'
import type { CheckpointStore, MachineFacts } from './checkpoint-store.ts'
import { foldJournal } from './fold-journal.ts'
import { Journal, JOURNALS } from './journal.ts'
import type { Complete } from './journal-format.ts'
import { MemoryImage } from './memory-image.ts'
import { devicesIn, lockStore, PagePlaces, readState, sha256, storeError, writeState, type StoreState } from './store-state.ts'

/** What a checkpoint outlives once it is committed: `power` also a crash of the host, `process` only the end of this process. */
export type Durability = 'power' | 'process'

export interface StoreOptions {
  /** The time, in milliseconds since 1970; default that of this host. */
  readonly time?: () => number
  /** Default `power`. With `process` a crash of the host takes the guest back a few checkpoints further, to one that is complete. */
  readonly durability?: Durability
  /** Most memory of a guest, in bytes; default 256 GiB. */
  readonly memoryBytes?: number
  /** When a journal is this long its pages go to the image; two of them are there at most. In bytes, default 256 MiB. */
  readonly journalBytes?: number
}

const GIB = 2 ** 30
const MIB = 2 ** 20

/** A store in a directory: an image of memory, its checksums, and journals of what came since. @throws QemuError QEMU_STORE_BUSY, QEMU_STORE_IO, QEMU_STORE_DAMAGED */
export function openDirectoryStore(path: string, { time = Date.now, durability = 'power', memoryBytes = 256 * GIB, journalBytes = 256 * MIB }: StoreOptions = {}): CheckpointStore {
  return new DirectoryStore(path, lockStore(path), { time, durability, memoryBytes, journalBytes })
}

/** What `page` and `commit` mean: the first state fills an image, later ones go to a journal. */
type Phase =
  | { readonly is: 'idle' }
  | { readonly is: 'filling'; readonly guest: Guest }
  | { readonly is: 'following'; readonly guest: Guest; readonly journal: Journal; readonly spare: Journal; readonly epoch: number }

interface Guest {
  readonly facts: MachineFacts
  readonly folder: string
  readonly image: MemoryImage
  readonly places: PagePlaces
  readonly journalKey: Buffer
}

const KEY_BYTES = 32

class DirectoryStore implements CheckpointStore {
  readonly #path: string
  readonly #lock: Lock
  readonly #options: Required<StoreOptions>
  #phase: Phase = { is: 'idle' }
  #folding: Promise<void> = Promise.resolve()
  /** What is done for the journals between two checkpoints; undefined when that is nothing. */
  #tending: Promise<void> | undefined

  constructor(path: string, lock: Lock, options: Required<StoreOptions>) {
    this.#path = path
    this.#lock = lock
    this.#options = options
  }

  begin(facts: MachineFacts): Promise<void> {
    return this.#doing(async () => {
      const bytes = facts.blocks.reduce((sum, { length }) => sum + length, 0)
      const { memoryBytes } = this.#options
      if (bytes > memoryBytes) throw new QemuError('QEMU_TOO_LARGE', `the guest has ${bytes} bytes of memory, ${memoryBytes} are the most`)
      await this.#leave()
      const kept = readState(this.#path)?.folder
      this.#sweep(kept)
      const folder = `g${kept === undefined ? 0 : Number(kept.slice(1)) + 1}`
      mkdirSync(join(this.#path, folder), { mode: 0o700 })
      const places = new PagePlaces(facts)
      this.#phase = { is: 'filling', guest: { facts, folder, places, image: MemoryImage.make(join(this.#path, folder), places.count), journalKey: randomBytes(KEY_BYTES) } }
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
    const [journal, spare] = [Journal.make(folder, JOURNALS[0], guest.journalKey), Journal.make(folder, JOURNALS[1], guest.journalKey)]
    writeState(this.#path, stateOf(guest, 0, { devices, at: this.#options.time() }))
    this.#phase = { is: 'following', guest, journal, spare, epoch: 0 }
    this.#sweep(guest.folder)
    this.#tend()
    return 0
  }

  async #commitNext({ guest, journal, spare, epoch }: Phase & { is: 'following' }, devices: Uint8Array): Promise<number> {
    const [next, before] = [epoch + 1, journal.bytes]
    const complete = { devices, at: this.#options.time() }
    await journal.commit(next, complete, this.#options.durability)
    this.#phase = { is: 'following', guest, journal, spare, epoch: next }
    if (journal.bytes >= this.#options.journalBytes) await this.#fold(this.#phase, complete)
    this.#tend(journal.bytes - before)
    return next
  }

  /** Goes on in the other journal while the pages of this one go to the image; waits where the last one is not done. */
  async #fold({ guest, journal, spare, epoch }: Phase & { is: 'following' }, complete: Complete): Promise<void> {
    await this.#folding
    this.#phase = { is: 'following', guest, journal: spare, spare: journal, epoch }
    this.#folding = foldJournal(this.#path, stateOf(guest, epoch, complete), { journal, image: guest.image, devices: complete.devices })
    this.#folding.catch(() => undefined) // told to the next who waits for it
  }

  /** Once the checkpoint was acknowledged: room for the next ones, and with `process` what the disk does not have yet. @param size of a checkpoint, in bytes */
  #tend(size = 0): void {
    this.#tending ??= setImmediate().then(() => this.#tendJournals(size)).catch(() => undefined).finally(() => (this.#tending = undefined)) // a full disk is told by the next commit
  }

  async #tendJournals(size: number): Promise<void> {
    if (this.#phase.is !== 'following') return
    const { journal, spare } = this.#phase
    for (const one of [journal, spare]) await one.prepare(this.#options.journalBytes, size)
    if (this.#options.durability === 'process') await journal.sync()
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
      await this.#tending
      if (phase.is === 'following') [phase.journal, phase.spare].forEach((journal) => journal.close())
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

const stateOf = ({ facts, folder, journalKey }: Guest, epoch: number, { devices, at }: Complete): StoreState => ({ ...facts, folder, epoch, at, devicesSha256: sha256(devices), journalKey: journalKey.toString('hex') })
