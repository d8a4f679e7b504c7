import { crc32 } from 'node:zlib'
import { compressed, FORM } from '../pack/pack-batch.ts'
import { PageBatch, pageKey } from '../pack/page-batch.ts'
import type { PageCopies } from '../pack/page-copies.ts'
import { PageFinder } from '../pack/page-finder.ts'
import { PagePacker } from '../pack/page-packer.ts'
import type { Session } from '../session.ts'
import type { BatchWay } from './batch-way.ts'

/** The streams of guests, checkpoint by checkpoint: pages go as what differs from the copy that the peer has. */
export class PageStream {
  readonly #session: Session
  readonly #way: BatchWay
  readonly #finders: readonly PageFinder[]
  #batch: PageBatch
  #crc = 0

  /** @param copies those that the peer keeps alike. */
  constructor(session: Session, way: BatchWay, members: number, copies: PageCopies) {
    this.#session = session
    this.#way = way
    this.#finders = Array.from({ length: members }, () => new PageFinder())
    this.#batch = new PageBatch(new PagePacker(copies), way.memory(), session.flow.batchBytes)
  }

  /** What comes next of each guest is a checkpoint. */
  begin(): void {
    for (const finder of this.#finders) finder.begin()
  }

  /** @throws as `Session.send` */
  async write(member: number, parts: readonly Uint8Array[]): Promise<void> {
    const finder = this.#finders[member] as PageFinder
    for (const part of parts) await this.#take(member, part, finder)
  }

  async #take(member: number, part: Uint8Array, finder: PageFinder): Promise<void> {
    let summed = 0
    const sum = (end: number): void => {
      if (end > summed) this.#crc = crc32(part.subarray(summed, end), this.#crc)
      summed = end
    }
    for (let at = 0; at < part.length; ) {
      const end = finder.next(part, at)
      const key = finder.pfn < 0 ? undefined : pageKey(member, finder.pfn)
      if (key !== undefined && (await this.#page(key, part.subarray(at, end), () => sum(at)))) at = end
      while (at < end) {
        at += this.#batch.add(part.subarray(at, end))
        if (at === end) break
        sum(at)
        await this.#launch()
      }
    }
    sum(part.length)
  }

  /** @returns whether it fits a batch at all */
  async #page(key: number, page: Uint8Array, sum: () => void): Promise<boolean> {
    if (this.#batch.addPage(key, page)) return true
    sum()
    await this.#launch()
    return this.#batch.addPage(key, page)
  }

  /** Sends what is still held. @throws as `Session.send` */
  async flush(): Promise<void> {
    await this.#launch()
    await this.#way.settled()
  }

  async #launch(): Promise<void> {
    const { length, payload } = this.#batch
    if (length === 0) return
    const { agreement, clock, buffers, flow } = this.#session
    const plain = { offset: this.#way.offset, length, unpacked: payload.length, crc: this.#crc, codec: 0, form: FORM.pages, payload }
    const { batch, cost } = await compressed(plain, agreement.compressor, this.#way.adaptive, clock)
    await this.#way.send(batch, cost)
    if (batch.payload.buffer !== payload.buffer) buffers.give(payload)
    this.#crc = 0
    this.#batch = this.#batch.reset(this.#way.memory(), flow.batchBytes)
  }
}
