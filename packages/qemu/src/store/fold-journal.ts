import { rmSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { join } from 'node:path'
import { writeWhole } from '@xen-replication/durable'
import type { Journal } from './journal.ts'
import { sumsIn, type MemoryImage } from './memory-image.ts'
import { devicesIn, readState, writeState, type StoreState } from './store-state.ts'

/** What is folded: a journal into an image. */
export interface Fold {
  readonly journal: Journal
  readonly image: MemoryImage
  /** Of the journal's last checkpoint. */
  readonly devices: Uint8Array
}

/** Pages that are copied before others get their turn. */
const TURN_PAGES = 64
const PAGE_SIZE = 4096

/**
 * Copies the pages of a journal to the image, so that the journal can be written over. A crash in the middle does no harm: the journal still
 * counts then, and is gone through again.
 */
export async function foldJournal(store: string, state: StoreState, { journal, image, devices }: Fold): Promise<void> {
  await journal.sync() // the image must not have what the journal would not have after a power failure
  let copied = 0
  for (const [page, at] of journal.newest) {
    image.write(page, at === undefined ? undefined : journal.read(at, PAGE_SIZE))
    if (++copied % TURN_PAGES === 0) await setImmediate()
  }
  const folder = join(store, state.folder)
  const before = readState(store)?.epoch
  await image.save(folder, state.epoch)
  writeWhole(devicesIn(folder, state.epoch), devices)
  writeState(store, state)
  if (before !== undefined) for (const old of [sumsIn(folder, before), devicesIn(folder, before)]) rmSync(old, { force: true })
  journal.rewind()
}
