import type { ImageBytes } from '../image-bytes.ts'
import type { Snapshot } from '../snapshot.ts'
import { blobDiff, type BlobDiff } from './blob-diff.ts'
import { Collector, type BoundedList } from './bounded.ts'
import { configTree } from './config-diff.ts'
import { pageDiff, type Memory, type PageDiff } from './page-diff.ts'
import { headerTree, stateTree } from './state-tree.ts'
import { treeDiff, type Change } from './tree-diff.ts'

/** A record type of which the images have different numbers. */
export interface RecordCount {
  readonly name: string
  readonly a: number
  readonly b: number
}

/** How two images differ. Each part is empty where they do not. */
export interface ImageDiff {
  readonly same: boolean
  /** The guests are the same, whatever their images look like: `headers` and `records` left out. */
  readonly sameGuest: boolean
  readonly headers: BoundedList<Change>
  readonly config: BoundedList<Change>
  readonly records: readonly RecordCount[]
  readonly state: BoundedList<Change>
  readonly emulator: BlobDiff
  readonly pages: PageDiff
}

/** An image with what was read of it. */
export interface ReadImage {
  readonly image: ImageBytes
  readonly snapshot: Snapshot
}

export interface DiffOptions {
  /** Differences or runs to list of each kind. */
  readonly limit: number
  /** Called now and then with the pages looked at, of all of both. */
  readonly onProgress?: (done: number, total: number) => void
}

/** Compares two images: how they are packed, and the guests in them. Yields now and then so that the caller can do other things. */
export function* diffImages(a: ReadImage, b: ReadImage, options: DiffOptions): Generator<undefined, ImageDiff, void> {
  const { limit } = options
  const headers = collected(treeDiff(headerTree(a.snapshot), headerTree(b.snapshot)), limit)
  const config = collected(treeDiff(configTree(a.snapshot.headers.block), configTree(b.snapshot.headers.block)), limit)
  const records = recordCounts(a.snapshot, b.snapshot)
  const state = collected(treeDiff(stateTree(a.image, a.snapshot), stateTree(b.image, b.snapshot)), limit)
  const emulator = blobDiff({ image: a.image, place: a.snapshot.emulatorContext }, { image: b.image, place: b.snapshot.emulatorContext })
  const pages = yield* pageDiff(memoryOf(a), memoryOf(b), options)
  const samePages = [pages.onlyA, pages.onlyB, pages.types, pages.contents].every((runs) => runs.pages === 0)
  const sameGuest = config.total === 0 && state.total === 0 && emulator.same && samePages
  return { same: sameGuest && headers.total === 0 && records.length === 0, sameGuest, headers, config, records, state, emulator, pages }
}

const memoryOf = ({ image, snapshot: { guest, pages } }: ReadImage): Memory => ({ image, guest, pages })

function collected(changes: Iterable<Change>, limit: number): BoundedList<Change> {
  const collector = new Collector<Change>(limit)
  for (const change of changes) collector.add(change)
  return collector.all
}

function recordCounts(a: Snapshot, b: Snapshot): readonly RecordCount[] {
  const names = new Set([...a.counts.keys(), ...b.counts.keys()])
  return [...names]
    .map((name) => ({ name, a: a.counts.get(name) ?? 0, b: b.counts.get(name) ?? 0 }))
    .filter((count) => count.a !== count.b)
}
