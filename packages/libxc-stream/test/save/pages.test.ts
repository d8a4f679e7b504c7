import { describe, expect, it } from 'vitest'
import { codeOf, saved, type Outcome } from './driver.ts'
import { entriesOf, FIRST_MFN, goldPv, type Entry } from './gold.ts'
import { page, smallGuest } from './guests.ts'
import type { ScriptedGuest } from './scripted-guest.ts'

const batches = ({ records }: Outcome): Entry[][] => records.filter((r) => r.type === 1).map(entriesOf)
const types = (entries: readonly Entry[]): string => entries.map(({ pfn, type }) => `${pfn}:${type.toString(16)}`).join(' ')

describe('pages of an image', () => {
  it('come in records of up to 1024', async () => {
    const pages = new Map(Array.from({ length: 2500 }, (_, pfn) => [pfn, page(pfn)]))
    const outcome = await saved(smallGuest({ pages, frames: 2500, mapping: 'scattered' }), { options: { mode: 'stopped' } })
    expect(batches(outcome).map((entries) => entries.length)).toEqual([1024, 1024, 452])
    expect(batches(outcome).flat().every(({ pfn, page: content }) => content?.every((byte) => byte === (pfn & 255)))).toBe(true)
  })
  it('may lie beyond what 32 bits number', async () => {
    const { PageWriter } = await import('../../src/save/page-writer.ts')
    const parts: Uint8Array[] = []
    const shape = { pages: 8, frame: (pfn: number) => pfn + 2 ** 33, normalise: undefined } as never
    const memory = { types: () => Promise.resolve(Uint8Array.of(15)) } as never
    const writer = new PageWriter({ memory, shape, holes: 'as-xen', observe: () => undefined, signal: undefined })
    const walk = { done: false, next(into: Float64Array) { into[0] = 2 ** 33 + 5; const n = this.done ? 0 : 1; this.done = true; return n } }
    writer.deferred.add = () => undefined
    await writer.send({ size: 2 ** 33 + 8, walk: () => walk } as never, { pass: 'final', round: 0, expected: 1, later: 'no' }, { count: 0, write: (more) => (parts.push(...more.map((p) => p.slice())), Promise.resolve()) })
    expect(new DataView((parts[0] as Uint8Array).buffer).getBigUint64(16, true)).toBe(0xf000_0002_0000_0005n)
  })
  it('are refused when the hypervisor tells a type that images do not have', async () => {
    for (const type of [5, 6, 7, 8]) expect(await codeOf(smallGuest({ types: new Map([[2, type]]) }), { options: { mode: 'live' } })).toBe('SAVE_PAGE_TYPE')
  })
  it('of types without content have an entry only', async () => {
    const outcome = await saved(smallGuest({ types: new Map([[2, 13], [3, 14]]) }), { options: { mode: 'stopped' } })
    expect(types(batches(outcome).flat())).toBe('0:0 1:0 2:d 3:e 4:0 5:f 6:0 7:0')
  })
  it('that nobody can map end the save, and nothing is written of their batch', async () => {
    const guest = smallGuest({ types: new Map([[5, 0]]) })
    const error = await saved(guest, { options: { mode: 'stopped' } }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'BACKEND_MAP' })
  })
})

describe('an image without holes', () => {
  const holes = 'left-out' as const
  it('has no entries for them, and the same pages', async () => {
    const outcome = await saved(smallGuest(), { options: { mode: 'stopped', holes } })
    expect(types(batches(outcome).flat())).toBe('0:0 1:0 2:0 3:0 4:0 6:0 7:0')
    expect(batches(outcome).flat().map(({ page: content }) => content?.[0])).toEqual([1, 2, 3, 4, 5, 7, 8])
  })
  it('has no record at all for a batch of nothing but holes', async () => {
    const outcome = await saved(smallGuest({ pages: new Map() }), { options: { mode: 'stopped', holes } })
    expect(batches(outcome)).toEqual([])
  })
  it('tells, once, of a page that has gone since it was sent', async () => {
    const gone = (guest: ScriptedGuest): void => void guest.script.pages.delete(3)
    const dirty = [{ pages: [3, 5], then: gone }, { pages: [3, 5] }]
    const outcome = await saved(smallGuest({ dirty }), { options: { mode: 'checkpointed', policy: () => 'stop', holes }, checkpoints: 2 })
    expect(batches(outcome).map(types)).toEqual(['0:0 1:0 2:0 3:0 4:0 6:0 7:0', '3:f'])
  })
  it('still says which pages are broken', async () => {
    const outcome = await saved(smallGuest({ types: new Map([[2, 13]]) }), { options: { mode: 'stopped', holes } })
    expect(types(batches(outcome).flat())).toBe('0:0 1:0 2:d 3:0 4:0 6:0 7:0')
  })
})

describe('a page table that changes under the saver', () => {
  const gold = goldPv('gold_xc_pv64_nonlive', 8)
  const L1 = FIRST_MFN + 7
  const put = (guest: ScriptedGuest, frame: number, entry: bigint): void => new DataView((guest.script.pages.get(frame) as Uint8Array).buffer).setBigUint64(8 * 30, entry, true)
  const foreign = (0x1ffn << 12n) | 1n
  /** The guest of the gold stream, its table bad from the start, and what becomes of that at the first look at the log. */
  const guestWith = (frame: number, entry: bigint, then: (guest: ScriptedGuest) => void = () => undefined): ScriptedGuest => {
    const guest = gold.guest({ dirty: [{ pages: [], then }] })
    put(guest, frame, entry)
    return guest
  }

  it('is put off while the guest runs and comes with the last pass', async () => {
    const guest = guestWith(L1, foreign, (g) => put(g, L1, 0n))
    const outcome = await saved(guest, { options: { mode: 'live' } })
    expect(batches(outcome).map(types)).toEqual(['0:0 1:0 2:0 3:0 4:c 5:3 6:2 7:f 8:0 9:0 10:f 11:0', '7:1 10:f'])
    const last = outcome.events.filter((event) => event.type === 'pass-begin' || event.type === 'pass-end')
    expect(last).toMatchObject([
      { type: 'pass-begin', pass: 'live', expected: 12 },
      { type: 'pass-end', pass: 'live', sent: 12, deferred: 2 },
      { type: 'pass-begin', pass: 'final', expected: 2 },
      { type: 'pass-end', pass: 'final', sent: 2, deferred: 1 },
    ])
    const pages = batches(outcome).flat()
    const of = (pfn: number): Uint8Array | undefined => pages.findLast((entry) => entry.pfn === pfn)?.page
    const expected = entriesOf({ type: 1, offset: 184, body: gold.stream.slice(192) }).find(({ pfn }) => pfn === 7)?.page
    expect(of(7)).toEqual(expected)
  })
  it('ends the save when it is still bad at the end: Xen’s saver would leave it out and call that success', async () => {
    for (const mode of ['live', 'checkpointed', 'stopped'] as const) {
      const guest = guestWith(L1, foreign)
      const { drive } = await import('./driver.ts')
      const { error } = await drive(guest, { options: { mode }, checkpoints: mode === 'checkpointed' ? 1 : 0 })
      expect(error).toMatchObject({
        code: 'SAVE_PAGE_TABLE',
        message: 'page table at pfn 0x7 (L1TAB): entry 30, frame 0x1ff, points to a frame that is not the guest’s',
        hint: expect.stringContaining('another domain') as string,
      })
      expect(guest.openMappings).toBe(0)
    }
  })
  it('ends the save when it maps a superpage', async () =>
    expect(await codeOf(guestWith(FIRST_MFN + 6, (BigInt(FIRST_MFN) << 12n) | 0x81n), { options: { mode: 'live' } })).toBe('SAVE_SUPERPAGE'))
  it('ends the save when it is of a level that the guest cannot have', async () => {
    const guest = goldPv('gold_xc_pv32_nonlive', 4).guest()
    guest.script.types?.set(FIRST_MFN + 4, 12)
    expect(await codeOf(guest, { options: { mode: 'stopped' } })).toBe('SAVE_TABLE_LEVEL')
  })
})
