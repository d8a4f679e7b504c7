import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { QemuState, RamBlock } from '@xen-replication/format'
import { QemuError } from '../qemu-error.ts'
import { Journal, journalsIn } from './journal.ts'
import type { Complete } from './journal-format.ts'
import { MemoryImage } from './memory-image.ts'
import { lockStore, PagePlaces, readDevices, readState, storeError, type StoreState } from './store-state.ts'

/** The last complete checkpoint of a store. */
export interface Backup {
  readonly epoch: number
  /** When it was complete, in milliseconds since 1970. */
  readonly at: number
  readonly state: QemuState
  close(): void
}

/** Where the newest bytes of a page are: in a journal, or zeros. */
type Place = { readonly journal: Journal; readonly at: number } | 'zeros'

const PAGE_SIZE = 4096

/**
 * Opens what a store holds, as a crash or a power failure may have left it. Nothing is changed there.
 *
 * @throws QemuError QEMU_STORE_EMPTY, QEMU_STORE_BUSY, QEMU_STORE_DAMAGED, QEMU_STORE_IO
 */
export async function openBackup(path: string): Promise<Backup> {
  if (!existsSync(path)) throw new QemuError('QEMU_STORE_EMPTY', `${path} is not there`, { hint: 'give the directory of `xr qemu-backup --store`' })
  const lock = lockStore(path)
  const close: (() => void)[] = [() => lock.release()]
  try {
    const kept = readState(path)
    if (kept === undefined) throw new QemuError('QEMU_STORE_EMPTY', `${path} holds no complete checkpoint`)
    const places = new PagePlaces(kept)
    const image = MemoryImage.open(join(path, kept.folder), places.count, kept.epoch, 'r')
    close.push(() => image.close())
    const { epoch, at, devices, newest } = await replay(path, kept, places.count, close)
    const page = (block: RamBlock, offset: number): Uint8Array | undefined => {
      const number = places.of(block.name, offset)
      const place = newest.get(number)
      if (place === undefined) return image.read(number)
      return place === 'zeros' ? undefined : place.journal.read(place.at, PAGE_SIZE)
    }
    return { epoch, at, state: { machine: kept.machine, blocks: kept.blocks, ramId: kept.ramId, devices, page }, close: () => close.forEach((one) => one()) }
  } catch (error) {
    close.forEach((one) => one())
    throw storeError(path, error)
  }
}

interface Replayed extends Complete {
  readonly epoch: number
  readonly newest: ReadonlyMap<number, Place>
}

/** Goes through the journals as far as checkpoints follow each other. */
async function replay(path: string, kept: StoreState, pages: number, close: (() => void)[]): Promise<Replayed> {
  let { epoch, at } = kept
  let devices: Uint8Array | undefined
  const newest = new Map<number, Place>()
  for (const journal of journalsOf(join(path, kept.folder), kept.journalKey, close)) {
    for await (const entry of journal.entries(pages)) {
      if (entry.epoch !== epoch + 1) break // it went to the image long ago
      for (const { page, at: place } of entry.pages) newest.set(page, place === undefined ? 'zeros' : { journal, at: place })
      ;({ epoch, at, devices } = entry)
    }
  }
  return { epoch, at, devices: devices ?? readDevices(path, kept), newest }
}

/** The one that was begun first comes first. */
function journalsOf(folder: string, key: string, close: (() => void)[]): readonly Journal[] {
  const journals = journalsIn(folder).map((name) => Journal.open(folder, name, Buffer.from(key, 'hex')))
  close.push(() => journals.forEach((journal) => journal.close()))
  const first = new Map(journals.map((journal) => [journal, journal.first() ?? Infinity]))
  return journals.sort((a, b) => (first.get(a) ?? 0) - (first.get(b) ?? 0))
}
