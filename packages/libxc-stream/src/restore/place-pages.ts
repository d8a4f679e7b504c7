import { hasContent, PAGE_BATCH_MAX, PAGE_SIZE, type PageData } from '@xen-replication/format'
import type { GuestBuilder } from '@xen-replication/hypervisor'
import { FrameCursor } from './frame-cursor.ts'
import type { GuestTarget } from './guests/guest-target.ts'
import { entryPlace } from './page-front.ts'
import type { Populator } from './populate.ts'
import type { RecordHead } from './record-head.ts'
import type { StreamFeed } from './stream-feed.ts'

/** What putting pages in place needs. */
export interface PlaceScene {
  readonly memory: GuestBuilder
  readonly target: GuestTarget
  readonly populator: Populator
  /** Told of pages that are not as they were; undefined: pages are written. */
  readonly mismatch: ((pfn: number) => void) | undefined
}

/** Puts the pages of PAGE_DATA records where they belong, or compares them. Memory serves for all records. */
export class PagePlacer {
  readonly #pfns = new Float64Array(PAGE_BATCH_MAX)
  readonly #types = new Uint8Array(PAGE_BATCH_MAX)
  readonly #frames = new Float64Array(PAGE_BATCH_MAX)
  readonly #held = new Uint16Array(PAGE_BATCH_MAX) // entry of each page that follows
  readonly #table = new Uint32Array(PAGE_SIZE / 4)

  /**
   * Takes all pages of a record.
   *
   * @throws RestoreError XC_PFN_RANGE, XC_PFN_UNADDRESSABLE before anything is changed, XC_PTE_RANGE; BackendError
   */
  async place(scene: PlaceScene, feed: StreamFeed, head: RecordHead, pages: PageData): Promise<void> {
    const { target } = scene
    for (let i = 0; i < pages.count; i++) {
      if (!target.mayHave(pages.pfn(i), pages.type(i))) throw target.pageRefused(pages.pfn(i), entryPlace(head, i))
    }
    for (let from = 0; from < pages.count; from += PAGE_BATCH_MAX) await this.#batch(scene, feed, head, pages, from)
  }

  async #batch(scene: PlaceScene, feed: StreamFeed, head: RecordHead, pages: PageData, from: number): Promise<void> {
    const { memory, target, populator } = scene
    const count = Math.min(pages.count - from, PAGE_BATCH_MAX)
    for (let i = 0; i < count; i++) {
      this.#pfns[i] = pages.pfn(from + i)
      this.#types[i] = pages.type(from + i)
    }
    await populator.add(this.#pfns.subarray(0, count), this.#types)
    let contents = 0
    for (let i = 0; i < count; i++) {
      const pfn = this.#pfns[i] as number
      target.setType(pfn, this.#types[i] as number)
      if (!hasContent(this.#types[i] as number)) continue
      this.#frames[contents] = target.frame(pfn)
      this.#held[contents++] = i
    }
    if (contents === 0) return
    const mapped = await memory.map(this.#frames.subarray(0, contents))
    try {
      await this.#fill(scene, feed, head, new FrameCursor(mapped), contents)
    } finally {
      mapped.close()
    }
  }

  async #fill(scene: PlaceScene, feed: StreamFeed, head: RecordHead, cursor: FrameCursor, contents: number): Promise<void> {
    for (let i = 0; i < contents; ) {
      const level = this.#level(scene, i)
      if (level > 0) await this.#takeTable(scene, feed, head, cursor, i++, level)
      else if (scene.mismatch !== undefined) await this.#compare(scene.mismatch, feed, head, cursor, i++)
      else {
        const end = this.#endOfRun(scene, i, contents)
        await take(feed, head, (end - i) * PAGE_SIZE, (bytes) => cursor.put(bytes))
        i = end
      }
    }
  }

  /** One behind the last of the pages from `i` on that go as they are. */
  #endOfRun(scene: PlaceScene, i: number, contents: number): number {
    let end = i + 1
    while (end < contents && this.#level(scene, end) === 0) end++
    return end
  }

  #level({ target }: PlaceScene, i: number): number {
    return target.tableLevel(this.#types[this.#held[i] as number] as number)
  }

  async #takeTable({ target, mismatch }: PlaceScene, feed: StreamFeed, head: RecordHead, cursor: FrameCursor, i: number, level: number): Promise<void> {
    const table = new Uint8Array(this.#table.buffer)
    const offset = feed.offset
    table.set(await feed.exact(PAGE_SIZE, head.cut))
    await target.localise(this.#table, level, { offset, record: head.record })
    if (mismatch === undefined) cursor.put(table)
    else if (!cursor.matches(table)) mismatch(this.#pfn(i))
  }

  async #compare(mismatch: (pfn: number) => void, feed: StreamFeed, head: RecordHead, cursor: FrameCursor, i: number): Promise<void> {
    let same = true
    await take(feed, head, PAGE_SIZE, (bytes) => {
      same = cursor.matches(bytes) && same
    })
    if (!same) mismatch(this.#pfn(i))
  }

  #pfn(i: number): number {
    return this.#pfns[this.#held[i] as number] as number
  }
}

/** Hands on `size` bytes as they happen to come. */
async function take(feed: StreamFeed, { cut }: RecordHead, size: number, use: (bytes: Uint8Array) => void): Promise<void> {
  for (let left = size; left > 0; ) {
    const bytes = await feed.some(left, cut)
    use(bytes)
    left -= bytes.length
  }
}
