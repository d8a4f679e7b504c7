import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf, tryLock, writeWhole, type Lock } from '@xen-replication/durable'
import { QemuError } from '../qemu-error.ts'
import type { MachineFacts } from './checkpoint-store.ts'

const PAGE_SIZE = 4096
const VERSION = 2

/** What is written down of the newest state whose memory is in one piece; journals have what came behind it. */
export interface StoreState extends MachineFacts {
  /** Name of the folder within the store. */
  readonly folder: string
  readonly epoch: number
  /** When that was complete, in milliseconds since 1970. */
  readonly at: number
  /** SHA-256 of the file of the devices, in hexadecimal. */
  readonly devicesSha256: string
  /** Key of the entries of its journals, in hexadecimal. */
  readonly journalKey: string
}

/** Where a block begins among all pages of a guest. */
export class PagePlaces {
  readonly count: number
  readonly #first = new Map<string, number>()

  constructor({ blocks }: Pick<MachineFacts, 'blocks'>) {
    let next = 0
    for (const { name, length } of blocks) {
      this.#first.set(name, next)
      next += Math.ceil(length / PAGE_SIZE)
    }
    this.count = next
  }

  /** Number of a page within all blocks. @param offset in bytes within its block */
  of(block: string, offset: number): number {
    return (this.#first.get(block) ?? 0) + offset / PAGE_SIZE
  }
}

/** Undefined where nothing complete was ever stored. @throws QemuError QEMU_STORE_DAMAGED, QEMU_STORE_IO */
export function readState(store: string): StoreState | undefined {
  const path = join(store, 'state.json')
  const text = readIfThere(path)
  if (text === undefined) return undefined
  try {
    const { version, ...state } = JSON.parse(text.toString()) as StoreState & { readonly version: number }
    if (version === VERSION && /^g\d+$/.test(state.folder) && Number.isSafeInteger(state.epoch) && Number.isSafeInteger(state.at) && Array.isArray(state.blocks) && typeof state.journalKey === 'string') return state
  } catch {
    // said below
  }
  throw new QemuError('QEMU_STORE_DAMAGED', `${path} is not what was written there`)
}

export function writeState(store: string, state: StoreState): void {
  writeWhole(join(store, 'state.json'), JSON.stringify({ version: VERSION, ...state }))
}

/** The devices of a state. @throws QemuError QEMU_STORE_DAMAGED */
export function readDevices(store: string, { folder, epoch, devicesSha256 }: StoreState): Uint8Array {
  const bytes = readIfThere(devicesIn(join(store, folder), epoch))
  if (bytes !== undefined && sha256(bytes) === devicesSha256) return new Uint8Array(bytes)
  throw new QemuError('QEMU_STORE_DAMAGED', `the devices of checkpoint ${epoch} in ${store} are not what was written`)
}

/** Where the devices of a checkpoint are. */
export const devicesIn = (folder: string, epoch: number): string => join(folder, `devices.${epoch}`)

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** @throws QemuError QEMU_STORE_BUSY, QEMU_STORE_IO */
export function lockStore(store: string): Lock {
  try {
    mkdirSync(store, { recursive: true, mode: 0o700 })
    const lock = tryLock(join(store, 'lock'))
    if (typeof lock !== 'number') return lock
    throw new QemuError('QEMU_STORE_BUSY', `process ${lock} is at work in ${store}`)
  } catch (error) {
    throw storeError(store, error)
  }
}

/** Says what a failed call of the file system means; other errors stay what they are. */
export function storeError(store: string, error: unknown): unknown {
  if (codeOf(error) === undefined || error instanceof QemuError) return error
  return new QemuError('QEMU_STORE_IO', `${store}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw storeError(path, error)
  }
}
