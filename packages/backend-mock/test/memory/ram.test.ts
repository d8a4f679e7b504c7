import { describe, expect, it } from 'vitest'
import { CHUNK_PAGES, Loan, Ram, type RamStore } from '../../src/memory/ram.ts'
import type { PageRun } from '../../src/store/host-store.ts'

const PAGE = 4096
/** More chunks than are kept when nobody looks at them. */
const CHUNKS = 8

/** Keeps pages in memory; counts what it was asked. */
class Shelf implements RamStore {
  readonly pages = new Map<number, Uint8Array>()
  reads = 0
  building = true

  read(chunk: number, into: Uint8Array): boolean {
    this.reads += 1
    into.fill(0)
    for (const [pfn, page] of this.pages) if (Math.floor(pfn / CHUNK_PAGES) === chunk) into.set(page, (pfn % CHUNK_PAGES) * PAGE)
    return true
  }

  writeAhead(runs: Iterable<PageRun>): boolean {
    if (this.building) this.store(runs)
    return this.building
  }

  store(runs: Iterable<PageRun>): void {
    for (const [pfn, bytes] of runs) for (let at = 0; at < bytes.length; at += PAGE) this.pages.set(pfn + at / PAGE, bytes.slice(at, at + PAGE))
  }
}

/** What a builder does: maps a page, writes to it, lets go. */
function build(ram: Ram, pfn: number, value: number): void {
  const loan = new Loan()
  ram.touchUnseen(pfn)
  ram.view(pfn, loan).fill(value)
  ram.giveBack(loan)
}

function valueOf(ram: Ram, pfn: number): number {
  const loan = new Loan()
  const [view] = ram.views([pfn], loan)
  const value = view?.[PAGE - 1] ?? -1
  ram.giveBack(loan)
  return value
}

describe('memory of a guest that is being built', () => {
  it('is stored ahead a chunk at a time, and none of it is lost or stored twice', () => {
    const shelf = new Shelf()
    const ram = new Ram(shelf)
    for (let chunk = 0; chunk < CHUNKS; chunk += 1) build(ram, chunk * CHUNK_PAGES + 5, chunk + 1)
    const ahead = [...shelf.pages.keys()]
    expect(ahead.length).toBeGreaterThan(0)
    const rest = [...ram.changedRuns()].map(([pfn]) => pfn)
    expect([...ahead, ...rest].sort((a, b) => a - b)).toEqual(Array.from({ length: CHUNKS }, (_, chunk) => chunk * CHUNK_PAGES + 5))
    for (let chunk = 0; chunk < CHUNKS; chunk += 1) expect(valueOf(ram, chunk * CHUNK_PAGES + 5)).toBe(chunk + 1)
  })

  it('can be written again after it was stored ahead', () => {
    const shelf = new Shelf()
    const ram = new Ram(shelf)
    for (const value of [1, 2]) for (let chunk = 0; chunk < CHUNKS; chunk += 1) build(ram, chunk * CHUNK_PAGES, value)
    shelf.store(ram.changedRuns())
    expect([...shelf.pages.values()].map((page) => page[0])).toEqual(new Array(CHUNKS).fill(2))
  })

  it('stays in memory once it is complete, until it is stored', () => {
    const shelf = new Shelf()
    shelf.building = false
    const ram = new Ram(shelf)
    for (let chunk = 0; chunk < CHUNKS; chunk += 1) build(ram, chunk * CHUNK_PAGES, chunk + 1)
    expect(shelf.pages.size).toBe(0)
    expect([...ram.changedRuns()].map(([, bytes]) => bytes[0])).toEqual(Array.from({ length: CHUNKS }, (_, chunk) => chunk + 1))
  })

  it('stays in memory where there is no store', () => {
    const ram = new Ram()
    for (let chunk = 0; chunk < CHUNKS; chunk += 1) build(ram, chunk * CHUNK_PAGES, chunk + 1)
    for (let chunk = 0; chunk < CHUNKS; chunk += 1) expect(valueOf(ram, chunk * CHUNK_PAGES)).toBe(chunk + 1)
  })
})

describe('memory that is looked at', () => {
  it('shows what the guest writes meanwhile, and keeps it afterwards', () => {
    const ram = new Ram(new Shelf())
    const loan = new Loan()
    const view = ram.view(7, loan)
    ram.write32(7, 3, 0xabcd)
    expect(new DataView(view.buffer, view.byteOffset).getUint32(12, true)).toBe(0xabcd)
    ram.giveBack(loan)
    for (let chunk = 1; chunk < CHUNKS; chunk += 1) valueOf(ram, chunk * CHUNK_PAGES)
    expect(ram.read32(7, 3)).toBe(0xabcd)
    expect([...ram.changedRuns()].map(([pfn]) => pfn)).toEqual([7])
  })

  it('is read into the same buffers again and again, of two lookers neither sees another chunk', () => {
    const shelf = new Shelf()
    shelf.store(Array.from({ length: CHUNKS }, (_, chunk): PageRun => [chunk * CHUNK_PAGES, new Uint8Array(PAGE).fill(chunk + 1)]))
    const ram = new Ram(shelf)
    const held = new Loan()
    const first = ram.view(0, held)
    const buffers = new Set<ArrayBufferLike>()
    for (let chunk = 0; chunk < 4 * CHUNKS; chunk += 1) {
      const loan = new Loan()
      const view = ram.view((chunk % CHUNKS) * CHUNK_PAGES, loan)
      expect(view[0]).toBe((chunk % CHUNKS) + 1)
      buffers.add(view.buffer)
      ram.giveBack(loan)
    }
    expect(first[0]).toBe(1)
    expect(buffers.size).toBeLessThan(CHUNKS)
  })

  it('that never held anything is zeros, whatever lay in the buffer before', () => {
    const ram = new Ram({ read: (chunk, into) => chunk % 2 === 1 && into.fill(9).length > 0, writeAhead: () => false })
    for (let chunk = 0; chunk < 4 * CHUNKS; chunk += 1) expect(valueOf(ram, chunk * CHUNK_PAGES)).toBe(chunk % 2 === 1 ? 9 : 0)
  })
})
