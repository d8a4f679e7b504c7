import { PAGE_SIZE } from '../../bytes/limits.ts'
import type { GuestKind } from '../../libxc/domain-header.ts'
import { hasContent, PAGE, pageTypeName } from '../../libxc/page-data.ts'
import { follows, type GrowingRun, type PfnRun } from '../pfn-runs.ts'
import type { ImageBytes } from '../image-bytes.ts'
import { pageBuffer, PAGES_AT_ONCE, readPages } from '../page-contents.ts'
import type { PageIndex, PageVersion } from '../page-index.ts'
import { Collector, type BoundedList } from './bounded.ts'

/** Runs of pages, and how many pages they are in all. */
export interface PageRuns extends BoundedList<PfnRun> {
  readonly pages: number
}

/** Pages whose type differs. */
export interface TypeRun extends PfnRun {
  readonly a: string
  readonly b: string
}

/** How the memory of two guests differs. Pages without memory (holes, ballooned out) count as not being there. */
export interface PageDiff {
  /** Pages there in each. */
  readonly a: number
  readonly b: number
  readonly onlyA: PageRuns
  readonly onlyB: PageRuns
  readonly types: BoundedList<TypeRun> & { readonly pages: number }
  readonly contents: PageRuns
  /** Pages whose contents were compared, byte by byte. */
  readonly compared: number
}

/** One guest's memory. */
export interface Memory {
  readonly image: ImageBytes
  readonly guest: GuestKind
  readonly pages: PageIndex
}

/** The type that means something: HVM guests have none, so of theirs only what the page was filled as is looked at. */
const typeOf = ({ guest }: Memory, page: PageVersion): number => (guest === 'pv' ? page.type : page.held)

export interface PageDiffOptions {
  /** Runs to list of each kind. */
  readonly limit: number
  /** Called now and then with the pages looked at, of all of `a` and `b`. */
  readonly onProgress?: (done: number, total: number) => void
}

/** Compares memory by pfn, contents exactly. */
export function* pageDiff(a: Memory, b: Memory, { limit, onProgress }: PageDiffOptions): Generator<undefined, PageDiff, void> {
  const runs = { onlyA: new RunCollector(limit), onlyB: new RunCollector(limit), types: new TypeCollector(limit), contents: new RunCollector(limit) }
  const total = a.pages.size + b.pages.size
  let [countA, countB, compared, done] = [0, 0, 0, 0]
  const comparer = new Comparer(a.image, b.image, (pfn) => runs.contents.add(pfn))
  for (const [left, right] of paired(there(a.pages), there(b.pages))) {
    if (left !== undefined) countA++
    if (right !== undefined) countB++
    if (left === undefined) runs.onlyB.add((right as PageVersion).pfn)
    else if (right === undefined) runs.onlyA.add(left.pfn)
    else {
      const types = [typeOf(a, left), typeOf(b, right)] as const
      if (types[0] !== types[1]) runs.types.addTypes(left.pfn, ...types)
      if (hasContent(left.held) && hasContent(right.held)) {
        compared++
        comparer.add(left, right)
      }
    }
    if (++done % 4096 === 0) {
      onProgress?.(countA + countB, total)
      yield
    }
  }
  comparer.flush()
  return { a: countA, b: countB, onlyA: runs.onlyA.runs, onlyB: runs.onlyB.runs, types: runs.types.result, contents: runs.contents.runs, compared }
}

function* there(pages: PageIndex): Generator<PageVersion, void, void> {
  for (const page of pages.versions()) if (page.held !== PAGE.XTAB) yield page
}

/** Goes through two ascending lists side by side; a pfn that one of them lacks is undefined there. */
function* paired(a: Iterator<PageVersion, void>, b: Iterator<PageVersion, void>): Generator<readonly [PageVersion | undefined, PageVersion | undefined], void, void> {
  let [left, right] = [a.next().value, b.next().value]
  while (left !== undefined || right !== undefined) {
    const [x, y] = [left?.pfn ?? Infinity, right?.pfn ?? Infinity]
    yield [x <= y ? (left as PageVersion) : undefined, y <= x ? (right as PageVersion) : undefined]
    if (x <= y) left = a.next().value
    if (y <= x) right = b.next().value
  }
}

/** Compares pairs of pages, many at once. */
class Comparer {
  readonly #a: ImageBytes
  readonly #b: ImageBytes
  readonly #differs: (pfn: number) => void
  readonly #left: PageVersion[] = []
  readonly #right: PageVersion[] = []
  readonly #buffers = [pageBuffer(), pageBuffer()] as const

  constructor(a: ImageBytes, b: ImageBytes, differs: (pfn: number) => void) {
    this.#a = a
    this.#b = b
    this.#differs = differs
  }

  add(left: PageVersion, right: PageVersion): void {
    this.#left.push(left)
    this.#right.push(right)
    if (this.#left.length === PAGES_AT_ONCE) this.flush()
  }

  flush(): void {
    const a = wordsOf(readPages(this.#a, this.#left, this.#buffers[0]))
    const b = wordsOf(readPages(this.#b, this.#right, this.#buffers[1]))
    this.#left.forEach(({ pfn }, i) => {
      if (!sameWords(a, b, (i * PAGE_SIZE) / 4, ((i + 1) * PAGE_SIZE) / 4)) this.#differs(pfn)
    })
    this.#left.length = 0
    this.#right.length = 0
  }
}

const wordsOf = (bytes: Uint8Array): Uint32Array => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)

function sameWords(a: Uint32Array, b: Uint32Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (a[i] !== b[i]) return false
  return true
}

/** Makes runs of pfns that come in ascending order. */
class RunCollector {
  readonly #runs: Collector<GrowingRun>
  #last: GrowingRun | undefined
  #pages = 0

  constructor(limit: number) {
    this.#runs = new Collector(limit)
  }

  add(pfn: number): void {
    this.#pages++
    if (this.#last !== undefined && follows(pfn, this.#last)) {
      this.#last.count++
      return
    }
    this.#last = { from: pfn, count: 1 }
    this.#runs.add(this.#last)
  }

  get runs(): PageRuns {
    return { pages: this.#pages, ...this.#runs.all }
  }
}

class TypeCollector {
  readonly #runs: Collector<TypeRun & GrowingRun>
  #last: (TypeRun & GrowingRun) | undefined
  #pages = 0

  constructor(limit: number) {
    this.#runs = new Collector(limit)
  }

  addTypes(pfn: number, typeA: number, typeB: number): void {
    this.#pages++
    const [a, b] = [pageTypeName(typeA), pageTypeName(typeB)]
    const last = this.#last
    if (last !== undefined && follows(pfn, last) && last.a === a && last.b === b) {
      last.count++
      return
    }
    this.#last = { from: pfn, count: 1, a, b }
    this.#runs.add(this.#last)
  }

  get result(): PageDiff['types'] {
    return { pages: this.#pages, ...this.#runs.all }
  }
}
