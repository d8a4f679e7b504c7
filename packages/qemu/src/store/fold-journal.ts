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
  readonly pages: number
}

/** Pages that are copied before others get their turn. */
const TURN_PAGES = 256
const PAGE_SIZE = 4096

/**
 * Copies the pages of a journal to the image and removes it. A crash in the middle does no harm: the journal is still there then, and is
 * gone through again.
 */
export async function foldJournal(store: string, state: StoreState, { journal, image, devices, pages }: Fold): Promise<void> {
  const newest = new Map<number, number | undefined>()
  for await (const entry of journal.entries(pages)) for (const { page, at } of entry.pages) newest.set(page, at)
  let copied = 0
  for (const [page, at] of newest) {
    image.write(page, at === undefined ? undefined : journal.read(at, PAGE_SIZE))
    if (++copied % TURN_PAGES === 0) await setImmediate()
  }
  const folder = join(store, state.folder)
  const before = readState(store)?.epoch
  await image.save(folder, state.epoch)
  writeWhole(devicesIn(folder, state.epoch), devices)
  writeState(store, state)
  if (before !== undefined) for (const old of [sumsIn(folder, before), devicesIn(folder, before)]) rmSync(old, { force: true })
  journal.remove()
}
