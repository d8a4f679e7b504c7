import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PageCopies } from '../../src/pack/page-copies.ts'
import { PACKED_PAGE_MOST, PAGE_BYTES, PageDelta } from '../../src/pack/page-delta.ts'
import { PagePacker, PageUnpacker } from '../../src/pack/page-packer.ts'

/** A page with a change at each place: all kinds of runs. */
const changes = fc.array(fc.record({ at: fc.nat(PAGE_BYTES - 1), length: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: PAGE_BYTES })), value: fc.integer({ min: 0, max: 255 }) }), { maxLength: 60 })
const seeds = fc.integer({ min: 1, max: 0x7fffffff })

function noise(seed: number, bytes = PAGE_BYTES): Uint8Array {
  const page = new Uint8Array(bytes)
  let x = seed
  for (let i = 0; i < bytes; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    page[i] = x
  }
  return page
}

function changed(base: Uint8Array, how: readonly { at: number; length: number; value: number }[]): Uint8Array {
  const page = base.slice()
  for (const { at, length, value } of how) page.fill(value, at, at + length)
  return page
}

/** The same bytes at another place in memory. */
function shifted(bytes: Uint8Array, by: number): Uint8Array {
  const room = new Uint8Array(bytes.length + by)
  room.set(bytes, by)
  return room.subarray(by)
}

function packed(page: Uint8Array, base: Uint8Array | undefined): Uint8Array {
  const out = new Uint8Array(PACKED_PAGE_MOST)
  const copy = base?.slice()
  const { as, end } = new PageDelta().pack(page, copy, out, 0)
  if (as === 'delta') expect(Buffer.compare(copy as Uint8Array, page)).toBe(0)
  return out.subarray(0, end)
}

/** Changes words of a page, evenly spread by chance. */
function withWords(base: Uint8Array, share: number, wordBytes: number, seed: number): Uint8Array {
  const page = base.slice()
  const words = Math.floor((PAGE_BYTES / wordBytes) * share)
  const order = Array.from({ length: PAGE_BYTES / wordBytes }, (_, i) => i)
  const random = noise(seed, 4 * order.length)
  const keys = new Uint32Array(random.buffer)
  order.sort((a, b) => (keys[a] as number) - (keys[b] as number))
  for (const word of order.slice(0, words)) for (let i = 0; i < wordBytes; i++) page[word * wordBytes + i] = (page[word * wordBytes + i] as number) ^ (1 + (i % 255))
  return page
}

describe('a page as what differs from its copy', () => {
  it('comes back as it was, wherever both lie in memory', () => {
    fc.assert(
      fc.property(fc.oneof(seeds.map((seed) => noise(seed)), fc.constant(new Uint8Array(PAGE_BYTES))), changes, fc.tuple(fc.nat(7), fc.nat(7)), (base, how, [a, c]) => {
        const page = changed(base, how)
        const bytes = packed(shifted(page, a), base)
        expect(bytes.length).toBeLessThanOrEqual(PACKED_PAGE_MOST)
        const out = shifted(noise(7), c)
        const copy = base.slice()
        const { as, end } = new PageDelta().unpack(bytes, 0, copy, out)
        expect(end).toBe(bytes.length)
        if (as === 'delta') expect(Buffer.compare(copy, page)).toBe(0)
        expect(Buffer.compare(out, page)).toBe(0)
      }),
      { numRuns: 500 },
    )
  })

  it('takes a tenth at most where 5 % of its words change, of 4 bytes and of 8', () => {
    for (const wordBytes of [4, 8]) {
      for (let seed = 1; seed <= 50; seed++) {
        const base = noise(seed)
        expect(packed(withWords(base, 0.05, wordBytes, seed + 1000), base).length).toBeLessThanOrEqual(PAGE_BYTES / 10)
      }
    }
  })

  it.each([
    ['that is the same', noise(1), noise(1), 2],
    ['of zeros', new Uint8Array(PAGE_BYTES), noise(1), 2],
    ['of zeros without a copy', new Uint8Array(PAGE_BYTES), undefined, 2],
    ['that is another one', noise(1), noise(2), PACKED_PAGE_MOST],
    ['without a copy', noise(1), undefined, PACKED_PAGE_MOST],
    ['whose last word changed', changed(noise(1), [{ at: 4095, length: 1, value: 0 }]), changed(noise(1), [{ at: 4095, length: 1, value: 9 }]), 2 + 2 * 5 + 4],
    ['whose first word changed', changed(noise(1), [{ at: 0, length: 1, value: 0 }]), changed(noise(1), [{ at: 0, length: 1, value: 9 }]), 2 + 2 + 4],
  ])('%s takes no more than it needs', (_, page, base, size) => expect(packed(page, base).length).toBe(size))

  it('takes 0.05 % more at most, however it changed', () => {
    fc.assert(fc.property(seeds, fc.double({ min: 0, max: 1, noNaN: true }), (seed, share) => {
      const base = noise(seed)
      expect(packed(withWords(base, share, 4, seed ^ 0x5555), base).length).toBeLessThanOrEqual(PAGE_BYTES * 1.0005)
    }))
  })
})

describe('bytes that were changed on their way', () => {
  it('are refused or give some page; nothing beyond is read or written', () => {
    const base = noise(3)
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), fc.tuple(changes, fc.nat(400), fc.nat(255)).map(([how, at, value]) => {
        const bytes = packed(changed(base, how), base).slice()
        bytes[at % bytes.length] = value
        return bytes
      })), fc.boolean(), (bytes, withBase) => {
        const room = new Uint8Array(3 * PAGE_BYTES).fill(0xaa)
        const copy = base.slice()
        try {
          const { as, end } = new PageDelta().unpack(bytes, 0, withBase ? copy : undefined, room.subarray(PAGE_BYTES, 2 * PAGE_BYTES))
          expect(end).toBeLessThanOrEqual(bytes.length)
          if (as === 'delta') copy.set(base)
        } catch (error) {
          expect(error).toMatchObject({ code: 'SESSION_DAMAGED' })
        }
        expect(room.subarray(0, PAGE_BYTES).every((byte) => byte === 0xaa)).toBe(true)
        expect(room.subarray(2 * PAGE_BYTES).every((byte) => byte === 0xaa)).toBe(true)
        expect(Buffer.compare(copy, base)).toBe(0)
      }),
      { numRuns: 1000 },
    )
  })

  it.each([
    ['nothing', []],
    ['half a head', [4]],
    ['a delta that is cut', [6, 0, 0, 1]],
    ['a page that is cut', [0xff, 0xff, 1, 2, 3]],
    ['half a pair', [1, 0, 0]],
    ['a pair without its words', [2, 0, 0, 1]],
    ['a pair that changes nothing', [2, 0, 7, 0]],
    ['a run beyond the page', [10, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0]],
    ['more words than pairs tell', [10, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2]],
    ['a delta longer than a page', [0x01, 0x20, ...Array.from({ length: 0x2001 }, () => 255)]],
  ])('%s is refused', (_, bytes) => {
    expect(() => new PageDelta().unpack(Uint8Array.from(bytes), 0, noise(1), new Uint8Array(PAGE_BYTES))).toThrow(expect.objectContaining({ code: 'SESSION_DAMAGED' }) as Error)
  })

  it('a delta without a copy is refused', () =>
    expect(() => new PageDelta().unpack(Uint8Array.from([0, 0]), 0, undefined, new Uint8Array(PAGE_BYTES))).toThrow(/not there/))
})

describe('memory, epoch by epoch', () => {
  it('arrives as it is, whatever the room for copies', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.array(fc.tuple(fc.array(fc.nat(30), { minLength: 1, maxLength: 20 }), changes), { maxLength: 12 }), (room, epochs) => {
        const [packer, unpacker] = [new PagePacker(new PageCopies(room)), new PageUnpacker(new PageCopies(room))]
        const guest = new Map<number, Uint8Array>()
        for (const [pfns, how] of epochs) {
          const pages = pfns.map((pfn) => {
            const page = changed(guest.get(pfn) ?? noise(pfn + 1), how)
            guest.set(pfn, page)
            return page
          })
          const memory = new Uint8Array(Buffer.concat(pages))
          expect(Buffer.compare(unpacker.unpack(pfns, packer.pack(pfns, memory)), memory)).toBe(0)
        }
      }),
    )
  })

  it('that changes a little takes a tenth, and goes on so after one that changed altogether', () => {
    const pfns = Array.from({ length: 64 }, (_, i) => i)
    const [packer, unpacker] = [new PagePacker(new PageCopies(64)), new PageUnpacker(new PageCopies(64))]
    let memory = noise(1, 64 * PAGE_BYTES)
    const send = (next: Uint8Array): number => {
      memory = next
      const bytes = packer.pack(pfns, memory)
      expect(Buffer.compare(unpacker.unpack(pfns, bytes), memory)).toBe(0)
      return bytes.length / memory.length
    }
    const little = (seed: number): Uint8Array => new Uint8Array(Buffer.concat(pfns.map((i) => withWords(memory.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES), 0.05, 4, seed * 100 + i))))
    expect(send(memory)).toBeLessThan(1.001)
    expect(send(little(1))).toBeLessThanOrEqual(0.1)
    for (let i = 0; i < 30; i++) expect(send(noise(i + 2, memory.length))).toBeLessThan(1.001)
    for (let i = 0; i < 10; i++) send(little(i + 2))
    expect(send(little(50))).toBeLessThanOrEqual(0.1)
  })

  it('keeps no more copies than there is room for, the latest ones', () => {
    const copies = new PageCopies(3)
    for (const pfn of [1, 2, 1, 3, 4]) copies.put(pfn, noise(pfn))
    expect([1, 2, 3, 4].map((pfn) => copies.get(pfn)?.[0])).toEqual([undefined, ...[2, 3, 4].map((pfn) => noise(pfn)[0])])
    expect(copies.size).toBe(3)
  })

  it('of another length than its pages is refused, and so are bytes that are left over or too few', () => {
    const [packer, unpacker] = [new PagePacker(new PageCopies(9)), new PageUnpacker(new PageCopies(9))]
    expect(() => packer.pack([1], new Uint8Array(5))).toThrow(expect.objectContaining({ code: 'SESSION_OPTION' }) as Error)
    const bytes = packer.pack([1, 2], noise(1, 2 * PAGE_BYTES)).slice()
    for (const [pfns, wrong] of [[[1], bytes], [[1, 2, 3], bytes], [Array.from({ length: 1e6 }, (_, i) => i), bytes.subarray(0, 100)]] as const) {
      expect(() => unpacker.unpack(pfns, wrong)).toThrow(expect.objectContaining({ code: 'SESSION_DAMAGED' }) as Error)
    }
  })
})
