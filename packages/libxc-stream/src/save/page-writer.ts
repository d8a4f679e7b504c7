import { hasContent, isReservedType, PAGE, PAGE_BATCH_MAX, pageDataLength, XC, type ByteSink } from '@xen-replication/format'
import type { AbortSignalLike, GuestMemory, MappedFrames } from '@xen-replication/hypervisor'
import { NO_FRAME } from '../pv/p2m.ts'
import type { TableFault } from '../pv/page-table.ts'
import { requireGoing } from './abort.ts'
import { BatchPages } from './batch-pages.ts'
import type { CountedSink } from './counted-sink.ts'
import type { GuestShape } from './guests/guest-shape.ts'
import { PageSet } from './page-set.ts'
import { hex, SaveError } from './save-error.ts'
import type { PassName, SaveObserver } from './save-event.ts'
import { tableError } from './table-error.ts'

/** One way through a set of pages. */
export interface Pass {
  readonly pass: PassName
  readonly round: number
  /** Pages expected, for those who watch. */
  readonly expected: number
  /** Whether pages that cannot be sent now may come later. */
  readonly later: 'yes' | 'no'
}

/** What a page writer works with. */
export interface PageWriterParts {
  readonly memory: GuestMemory
  readonly shape: GuestShape
  readonly holes: 'as-xen' | 'left-out'
  readonly observe: SaveObserver
  readonly signal: AbortSignalLike | undefined
}

const HEAD = 16 // record head, count, reserved word
const WORD = 2 ** 32

/** Writes pages of a guest as PAGE_DATA records of up to 1024 entries. Its buffers are used again for every batch. */
export class PageWriter {
  readonly #parts: PageWriterParts
  readonly #tables: BatchPages | undefined
  /** Pages that are to come with the last pass, whether the guest writes to them or not. */
  readonly deferred: PageSet
  #deferrals = 0
  /** Pages that the restorer has by now; kept only where holes are left out. */
  readonly #sent: PageSet | undefined
  /** Whole numbers of the machine: a guest has up to a million holes for each 4 GiB. Only guests beyond 16 TiB need wider ones. */
  #pfns: Float64Array | Uint32Array = new Uint32Array(PAGE_BATCH_MAX)
  readonly #frames = new Float64Array(PAGE_BATCH_MAX)
  readonly #entries = new Uint16Array(PAGE_BATCH_MAX)
  readonly #types = new Uint8Array(PAGE_BATCH_MAX)
  readonly #front = new Uint32Array(HEAD / 4 + 2 * PAGE_BATCH_MAX)
  readonly #frontBytes = new Uint8Array(this.#front.buffer)

  constructor(parts: PageWriterParts) {
    const { shape, holes } = parts
    this.#parts = parts
    this.#tables = shape.normalise === undefined ? undefined : new BatchPages(shape.normalise)
    this.deferred = new PageSet(shape.pages)
    this.#sent = holes === 'left-out' ? new PageSet(shape.pages) : undefined
  }

  /** Times that a page had to be put off since `forgetDeferred()`. */
  get deferrals(): number {
    return this.#deferrals
  }

  forgetDeferred(): void {
    this.deferred.clear()
    this.#deferrals = 0
  }

  /** @throws SaveError SAVE_ABORTED, SAVE_PAGE_TYPE, SAVE_PAGE_TABLE, SAVE_SUPERPAGE, SAVE_TABLE_LEVEL; BackendError; what the sink throws */
  async send(set: PageSet, pass: Pass, sink: CountedSink): Promise<void> {
    const { observe, signal } = this.#parts
    const about = { pass: pass.pass, round: pass.round }
    observe({ type: 'pass-begin', ...about, expected: pass.expected })
    if (set.size > WORD) this.#pfns = new Float64Array(PAGE_BATCH_MAX)
    const walk = set.walk()
    let sent = 0
    for (let count = walk.next(this.#pfns); count > 0; count = walk.next(this.#pfns)) {
      requireGoing(signal)
      await this.#batch(count, pass, sink)
      sent += count
      observe({ type: 'pages', ...about, sent, expected: pass.expected, bytes: sink.count })
    }
    observe({ type: 'pass-end', ...about, sent, deferred: this.#deferrals, bytes: sink.count })
  }

  async #batch(count: number, pass: Pass, sink: ByteSink): Promise<void> {
    const contents = await this.#classify(count)
    const mapped = contents === 0 ? undefined : await this.#parts.memory.map(this.#frames.subarray(0, contents))
    try {
      const pages = mapped === undefined ? [] : this.#contents(count, mapped, pass)
      const front = this.#describe(count)
      if (front.length > HEAD) await sink.write([front, ...pages])
    } finally {
      mapped?.close()
    }
  }

  /** Finds the types of the batch and gathers the frames of those with content. @returns how many those are. */
  async #classify(count: number): Promise<number> {
    const { memory, shape } = this.#parts
    if (shape.frame === undefined) return this.#sort(await memory.types(this.#pfns.subarray(0, count)))
    const types = this.#types.fill(PAGE.XTAB, 0, count)
    let known = 0
    for (let i = 0; i < count; i++) {
      const frame = shape.frame(this.#pfns[i] as number)
      if (frame === NO_FRAME) this.#defer(i)
      else {
        this.#frames[known] = frame
        this.#entries[known++] = i
      }
    }
    const told = known === 0 ? this.#types.subarray(0, 0) : await memory.types(this.#frames.subarray(0, known))
    let contents = 0
    for (let k = 0; k < known; k++) {
      const i = this.#entries[k] as number
      const type = told[k] as number
      if (isReservedType(type)) throw unknownType(this.#pfns[i] as number, type)
      types[i] = type
      if (hasContent(type)) this.#frames[contents++] = this.#frames[k] as number
    }
    return contents
  }

  /** Takes types as they were told where frames go by the pfns. @returns how many have content. */
  #sort(told: Uint8Array): number {
    const [pfns, types, frames] = [this.#pfns, this.#types, this.#frames]
    let contents = 0
    for (let i = 0; i < told.length; i++) {
      const type = told[i] as number
      types[i] = type
      if (type === PAGE.XTAB) continue
      if (isReservedType(type)) throw unknownType(pfns[i] as number, type)
      if (hasContent(type)) frames[contents++] = pfns[i] as number
    }
    return contents
  }

  #contents(count: number, mapped: MappedFrames, { later }: Pass): readonly Uint8Array[] {
    if (this.#tables === undefined) return mapped.views
    const postpone = (i: number, fault: TableFault): void => {
      if (later === 'no') throw tableError(this.#pfns[i] as number, this.#types[i] as number, fault)
      this.#types[i] = PAGE.XTAB
      this.#defer(i)
    }
    return this.#tables.pieces(this.#types.subarray(0, count), mapped, postpone)
  }

  #defer(i: number): void {
    this.deferred.add(this.#pfns[i] as number)
    this.#deferrals++
  }

  /** Record head, count and entries; no entries when all were left out. */
  #describe(count: number): Uint8Array {
    const [front, pfns, types, sent] = [this.#front, this.#pfns, this.#types, this.#sent]
    let at = HEAD / 4
    let contents = 0
    for (let i = 0; i < count; i++) {
      const pfn = pfns[i] as number
      const type = types[i] as number
      if (sent !== undefined && isLeftOut(sent, pfn, type)) continue
      front[at++] = pfn
      front[at++] = (pfn < WORD ? 0 : Math.floor(pfn / WORD)) | (type << 28)
      if (hasContent(type)) contents++
    }
    const entries = (at - HEAD / 4) / 2
    front[0] = XC.PAGE_DATA
    front[1] = pageDataLength(entries, contents)
    front[2] = entries
    front[3] = 0
    return this.#frontBytes.subarray(0, 4 * at)
  }
}

/** A hole need not be told of unless the restorer has a page there, which it must not take for what it was. @param sent pages that it has */
function isLeftOut(sent: PageSet, pfn: number, type: number): boolean {
  if (type !== PAGE.XTAB) {
    sent.add(pfn)
    return false
  }
  const known = sent.has(pfn)
  sent.delete(pfn)
  return !known
}

const unknownType = (pfn: number, type: number): SaveError =>
  new SaveError('SAVE_PAGE_TYPE', `pfn ${hex(pfn)} is of type ${type}`, { hint: 'the hypervisor is newer than this version of xr, or answers nonsense' })
