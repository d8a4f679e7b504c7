import { describe, expect, it } from 'vitest'
import { FIRST, MAX_MFN, P2mGuest } from './p2m-guest.ts'

const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i)
const LIST_64 = 512 * 512
const bad = (message: string | RegExp): object => ({ code: 'SAVE_P2M', message: typeof message === 'string' ? message : (expect.stringMatching(message) as string) })

describe('the p2m of a guest that keeps it as a tree', () => {
  for (const width of [4, 8] as const) {
    it(`is found over several lists; ${8 * width} bits`, async () => {
      const perPage = 4096 / width
      const pages = perPage * perPage + 5000
      const guest = new P2mGuest(width, pages)
      const leaves = guest.leaves(Math.ceil(pages / perPage))
      guest.put(leaves, pages - 1, FIRST + pages - 1)
      guest.tree([leaves.slice(0, perPage), leaves.slice(perPage)])
      for (const mapping of ['joined', 'scattered'] as const) {
        const { p2m, leafPfns, generation } = await guest.find({ mapping })
        expect(p2m.pages).toBe(pages)
        expect(leafPfns).toEqual(numbers(leaves.length))
        expect(generation).toBeUndefined()
        expect([p2m.mfn(pages - 1), p2m.mfn(pages - 2)]).toEqual([FIRST + pages - 1, -1])
        expect([p2m.pfn(FIRST + pages - 1), p2m.pfn(FIRST + pages - 2), p2m.pfn(FIRST + pages), p2m.pfn(MAX_MFN + 1), p2m.pfn(5)]).toEqual([pages - 1, -1, -1, -1, -1])
      }
    })
  }
  it('ends where the rest of its lists is one and the same', async () => {
    const guest = new P2mGuest(8, 4 * LIST_64)
    const leaves = guest.leaves(513)
    const empty = guest.list(numbers(512).map(() => leaves[512] as number))
    guest.say('frameListList', guest.list([guest.list(leaves.slice(0, 512)), empty, empty, empty]))
    const { p2m, leafPfns } = await guest.find()
    expect(p2m.pages).toBe(2 * LIST_64)
    expect(leafPfns).toEqual([...numbers(512), ...numbers(512).map(() => 512)])
  })

  const small = (width: 4 | 8 = 8): { guest: P2mGuest; leaves: number[] } => {
    const guest = new P2mGuest(width, 600)
    return { guest, leaves: guest.leaves(Math.ceil((600 * width) / 4096)) }
  }
  it('may hold numbers that no frame has: there is no page then', async () => {
    const { guest, leaves } = small()
    guest.put(leaves, 9, 1n << 63n)
    guest.tree([leaves])
    expect((await guest.find()).p2m.mfn(9)).toBe(-1)
  })
  it('is refused when the guest says that it has no pages, or more than an image can tell of', async () => {
    await expect(new P2mGuest(8, 0).find()).rejects.toMatchObject(bad('the guest says that it has 0 pfns'))
    const guest = new P2mGuest(8, 1)
    guest.say('maxPfn', 2n ** 32n + 1n)
    await expect(guest.find()).rejects.toMatchObject(bad('the guest says that it has 4294967297 pfns'))
  })
  it('is refused when it is too large for a tree', async () => {
    await expect(new P2mGuest(8, 512 * LIST_64 + 1).find()).rejects.toMatchObject(bad('highest pfn 134217728 is beyond what a p2m tree can hold'))
    await expect(new P2mGuest(8, 512 * LIST_64).find()).rejects.toMatchObject(bad(/list of lists is 0x0/))
  })
  it('is refused when its list of lists is nowhere', async () => {
    const { guest } = small()
    await expect(guest.find()).rejects.toMatchObject(bad(`the frame of the p2m’s list of lists is 0x0; frames of this host reach from 0x1 to 0xffffff`))
    guest.say('frameListList', MAX_MFN + 1)
    await expect(guest.find()).rejects.toMatchObject(bad(/is 0x1000000;/))
  })
  it('is refused when an entry of its lists is no frame of the host', async () => {
    const { guest, leaves } = small(4)
    guest.say('frameListList', guest.list([]))
    await expect(guest.find()).rejects.toMatchObject(bad(/^entry of the p2m’s list of lists 0 is none/))
    guest.tree([[0]])
    await expect(guest.find()).rejects.toMatchObject(bad(/^entry of the p2m’s lists 0 is 0x0/))
    guest.tree([leaves])
    expect((await guest.find()).leafPfns).toEqual([0])
  })
  it('is refused when its pages are not the guest’s by its own words', async () => {
    const { guest, leaves } = small()
    guest.put(leaves, 1, FIRST + 99)
    guest.tree([leaves])
    const scripted = guest.guest()
    const { openImageSaver } = await import('@xen-replication/libxc-stream')
    await expect(openImageSaver(scripted.forSave(), { mode: 'live' })).rejects.toMatchObject(bad('page 1 of the p2m is in frame 0x10001, which is not the guest’s by its own p2m'))
    expect(scripted.openMappings).toBe(0)
  })
})

describe('the p2m of a guest that keeps it as one list in its address space', () => {
  const AT_64 = 0xffff_c900_0012_c000n // its first pages share a page table with something else
  const AT_32 = 0xc000_0000n + 300n * 4096n
  for (const [width, address] of [[8, AT_64], [4, AT_32], [8, 0x7f00_0000_0000n]] as const) {
    it(`is found over several page tables; ${8 * width} bits, at 0x${address.toString(16)}`, async () => {
      const perPage = 4096 / width
      const pages = 600 * perPage - 3
      const guest = new P2mGuest(width, pages)
      const leaves = guest.leaves(600)
      guest.put(leaves, pages - 1, FIRST + pages - 1)
      guest.linear(address, leaves)
      guest.say('p2mGeneration', 6)
      const { p2m, leafPfns, generation } = await guest.find()
      expect(p2m.pages).toBe(pages)
      expect(leafPfns).toEqual(numbers(600))
      expect(generation).toBe(6n)
      expect(p2m.pfn(FIRST + pages - 1)).toBe(pages - 1)
    })
  }
  it('ends where the rest of its page tables is one and the same', async () => {
    const guest = new P2mGuest(8, 2000 * 512)
    const leaves = guest.leaves(1025)
    const [empty] = leaves.splice(1024) as [number]
    const pages = [...leaves, ...numbers(512).map(() => empty)]
    guest.linear(0xffff_c900_0000_0000n, pages)
    for (const table of [3, 4]) guest.sameTable(0xffff_c900_0000_0000n + BigInt(table << 21), 0xffff_c900_0040_0000n)
    const { p2m, leafPfns } = await guest.find()
    expect(p2m.pages).toBe(3 * 512 * 512)
    expect(leafPfns).toEqual([...numbers(1024), ...numbers(512).map(() => 1024)])
  })
  it('ends there as well when it begins in the middle of a page table', async () => {
    const start = 0xffff_c900_0000_0000n + 500n * 4096n
    const guest = new P2mGuest(8, 2000 * 512)
    const [empty, ...leaves] = guest.leaves(13) as [number, ...number[]]
    guest.linear(start, [empty, ...leaves.slice(0, 11), ...numbers(512).map(() => empty)])
    for (const table of [2, 3, 4]) guest.sameTable(0xffff_c900_0000_0000n + BigInt(table << 21), 0xffff_c900_0020_0000n)
    const { p2m, leafPfns } = await guest.find()
    expect(p2m.pages).toBe((12 + 512) * 512)
    expect(leafPfns).toHaveLength(12 + 512)
    expect(leafPfns.slice(0, 13)).toEqual([...numbers(12), 0])
  })

  const nowhere: readonly [string, 4 | 8, bigint][] = [
    ['an address that no guest has', 8, 0x8000_0000_0000n],
    ['an end that no guest has', 8, 0x7fff_ffff_f000n],
    ['an end beyond all addresses', 8, 0xffff_ffff_ffff_f000n],
    ['addresses of Xen’s', 8, 0xffff_8000_0000_0000n],
    ['a start in Xen’s addresses', 8, 0xffff_87ff_ffff_f000n],
    ['an address within a page', 8, 0xffff_c900_0000_0800n],
    ['addresses of Xen’s in 32 bits', 4, 0xf580_0000n],
    ['an end in Xen’s addresses in 32 bits', 4, 0xf57f_f000n],
    ['an end beyond 4 GiB', 4, 0xffff_f000n],
  ]
  for (const [what, width, address] of nowhere) {
    it(`is refused with ${what}`, async () => {
      const guest = new P2mGuest(width, 4096)
      guest.say('p2mCr3', 0x5000n)
      guest.say('p2mVaddr', address)
      await expect(guest.find()).rejects.toMatchObject(bad(new RegExp(`^the p2m cannot lie at 0x${address.toString(16)} to 0x`)))
    })
  }
  it('is refused when its page tables are nowhere', async () => {
    const guest = new P2mGuest(8, 4096)
    guest.say('p2mVaddr', AT_64)
    guest.say('p2mCr3', BigInt(MAX_MFN + 1) << 12n)
    await expect(guest.find()).rejects.toMatchObject(bad(/^the frame of the p2m’s top page table is 0x1000000/))
    guest.say('p2mCr3', 0x800n)
    await expect(guest.find()).rejects.toMatchObject(bad(/^the frame of the p2m’s top page table is 0x0/))
  })
  it('is refused when a page table has no entry for it', async () => {
    const guest = new P2mGuest(8, 4096)
    const leaves = guest.leaves(8)
    guest.linear(AT_64, leaves.slice(0, 7))
    await expect(guest.find()).rejects.toMatchObject(bad(/^entry 307 of level 1 of the p2m’s page tables is 0x0/))
  })
})
