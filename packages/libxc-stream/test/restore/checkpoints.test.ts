import { XrError } from '@xen-replication/errors'
import { ByteReader, encodeRecord, sourceOfBytes, XC } from '@xen-replication/format'
import { describe, expect, it } from 'vitest'
import { openImageRestorer, type ImageRestorer, type RestoreOptions } from '../../src/restore/image-restorer.ts'
import type { RestoreEvent } from '../../src/restore/restore-event.ts'
import { StreamFeed } from '../../src/restore/stream-feed.ts'
import { checkpoint, context, end, failingSource, feedOf, join, ordinary, page, pageData, params, readerOf, start, staticEnd } from './stream-of.ts'
import { TestGuest } from './test-guest.ts'

const nothingDropped = { records: 0, bytes: 0 }
const begin = join(start(), staticEnd, pageData(ordinary(1), ordinary(2)), context, checkpoint)

async function open(options: Partial<RestoreOptions> = {}, guest = new TestGuest({ kind: 'hvm' })): Promise<{ guest: TestGuest; restorer: ImageRestorer; events: RestoreEvent[] }> {
  const events: RestoreEvent[] = []
  const restorer = await openImageRestorer(guest.port, { mode: 'checkpointed', observe: (event) => events.push(event), ...options })
  return { guest, restorer, events }
}

describe('a checkpointed image', () => {
  it('takes effect as it comes up to its first checkpoint, and checkpoint by checkpoint from there on', async () => {
    const { guest, restorer, events } = await open()
    const feed = feedOf(begin, pageData(ordinary(1, 7)), checkpoint, pageData(ordinary(2, 8), ordinary(5)), checkpoint)
    expect(await restorer.readSegment(feed)).toEqual({ why: 'checkpoint' })
    expect(guest.page(1)).toEqual(page(1))
    await restorer.apply()
    expect(await restorer.readSegment(feed)).toEqual({ why: 'checkpoint' })
    expect(guest.page(1)).toEqual(page(1))
    await restorer.apply()
    expect(guest.page(1)).toEqual(page(7))
    await restorer.readSegment(feed)
    await restorer.apply()
    expect([guest.page(2), guest.page(5)]).toEqual([page(8), page(5)])
    expect(restorer.epochs).toBe(3)
    expect(events.filter(({ type }) => type === 'checkpoint')).toEqual([
      { type: 'checkpoint', epoch: 0, bytes: 0 },
      { type: 'checkpoint', epoch: 1, bytes: 24 + 4096 },
      { type: 'checkpoint', epoch: 2, bytes: 32 + 8192 },
    ])
  })

  it('empties the rings again at every checkpoint', async () => {
    const { guest, restorer } = await open()
    const feed = feedOf(begin, pageData(ordinary(2, 8)), params([1, 2]), checkpoint)
    await restorer.readSegment(feed)
    await restorer.apply()
    await restorer.readSegment(feed)
    await restorer.apply()
    expect(guest.page(2)).toEqual(page(0))
  })

  it('leaves the bytes behind a checkpoint to the layer around it', async () => {
    const { restorer } = await open()
    const reader = readerOf(begin, page(3))
    await restorer.readSegment(new StreamFeed(reader))
    expect(reader.offset).toBe(begin.length)
  })

  it('may hold an empty checkpoint, and counts whether somebody looks or not', async () => {
    const { restorer } = await open({ observe: undefined })
    const feed = feedOf(begin, checkpoint)
    await restorer.readSegment(feed)
    await restorer.apply()
    await restorer.readSegment(feed)
    await restorer.apply()
    expect(restorer.epochs).toBe(2)
  })

  it('that ends within a checkpoint is the guest as of the one before', async () => {
    const { guest, restorer } = await open()
    const feed = feedOf(begin, pageData(ordinary(1, 7)), end)
    await restorer.readSegment(feed)
    await restorer.apply()
    expect(await restorer.readSegment(feed)).toEqual({ why: 'end', dropped: { records: 1, bytes: 24 + 4096 } })
    await restorer.complete()
    expect(guest.page(1)).toEqual(page(1))
  })

  it('may end without any', async () => {
    const { restorer } = await open()
    expect(await restorer.readSegment(feedOf(start(), staticEnd, end))).toEqual({ why: 'end', dropped: nothingDropped })
    await restorer.complete()
  })

  it('is refused where a plain one was announced', async () => {
    const { restorer } = await open({ mode: 'plain' })
    await expect(restorer.readSegment(feedOf(begin))).rejects.toMatchObject({ code: 'XC_CHECKPOINT_PLAIN' })
  })

  it('of an HVM guest may be completed after each checkpoint', async () => {
    const { guest, restorer } = await open()
    const feed = feedOf(begin, encodeRecord(XC.HVM_CONTEXT, Uint8Array.of(4)), checkpoint)
    await restorer.readSegment(feed)
    await restorer.apply()
    await restorer.complete()
    expect(guest.context).toEqual(Uint8Array.of(1, 2, 3))
    await restorer.readSegment(feed)
    await restorer.apply()
    await restorer.complete()
    expect(guest.context).toEqual(Uint8Array.of(4))
  })
})

describe('a sender that is lost', () => {
  const second = join(pageData(ordinary(1, 7)), context, checkpoint)

  it('at any byte behind a checkpoint leaves the guest as of that checkpoint', async () => {
    for (let cut = 0; cut < second.length; cut += cut < 40 || cut > 4100 ? 1 : 509) {
      const { guest, restorer } = await open()
      const feed = feedOf(begin, second.subarray(0, cut))
      await restorer.readSegment(feed)
      await restorer.apply()
      const segment = await restorer.readSegment(feed)
      expect(segment).toMatchObject({ why: 'lost', error: { code: expect.stringMatching(/^XC_(RECORD_CUT|NO_END)$/) as string, offset: begin.length + cut } })
      await restorer.complete()
      expect(guest.page(1)).toEqual(page(1))
      expect(guest.mapped).toBe(0)
    }
  })

  it('at any byte before the first checkpoint leaves nothing to start', async () => {
    for (let cut = 0; cut < begin.length; cut += cut < 100 || cut > 8300 ? 1 : 509) {
      const { guest, restorer } = await open()
      await expect(restorer.readSegment(feedOf(begin.subarray(0, cut)))).rejects.toMatchObject({ code: expect.stringMatching(/^XC_(EMPTY|HEADER_CUT|RECORD_CUT|NO_CHECKPOINT)$/) as string, offset: cut })
      await expect(restorer.complete()).rejects.toMatchObject({ code: 'RESTORE_ORDER' })
      expect(guest.mapped).toBe(0)
    }
  })

  it('before the layer around has the first checkpoint complete leaves nothing to start', async () => {
    const { restorer } = await open()
    await restorer.readSegment(feedOf(begin))
    restorer.drop()
    await expect(restorer.complete()).rejects.toMatchObject({ code: 'XC_NO_CHECKPOINT', offset: begin.length })
  })

  it('before the layer around has a later checkpoint complete leaves the one before', async () => {
    const { guest, restorer } = await open()
    const feed = feedOf(begin, second)
    await restorer.readSegment(feed)
    await restorer.apply()
    await restorer.readSegment(feed)
    restorer.drop()
    await expect(restorer.readSegment(feed)).rejects.toMatchObject({ code: 'RESTORE_ORDER' })
    expect(guest.page(1)).toEqual(page(1))
  })

  it('is told by its own error when that has a code', async () => {
    const { restorer } = await open()
    const gone = new XrError('TRANSPORT_LOST', 'gone')
    const feed = new StreamFeed(new ByteReader(failingSource(join(begin, second.subarray(0, 100)), gone)))
    await restorer.readSegment(feed)
    await restorer.apply()
    expect(await restorer.readSegment(feed)).toEqual({ why: 'lost', dropped: { records: 1, bytes: 8 + 16 + 76 }, error: gone })
  })

  it('is told with a code when its error has none', async () => {
    const { restorer } = await open()
    const reset = new Error('ECONNRESET')
    const feed = new StreamFeed(new ByteReader(failingSource(begin.subarray(0, 100), reset)))
    await expect(restorer.readSegment(feed)).rejects.toMatchObject({ code: 'RESTORE_READ', offset: 100, cause: reset })
  })
})

describe('what is held back', () => {
  it('is limited, and nothing of what does not fit is read', async () => {
    const { guest, restorer } = await open({ heldBytesMax: 2 * (24 + 4096) })
    const fits = join(pageData(ordinary(1, 7)), pageData(ordinary(2, 7)))
    const feed = feedOf(begin, fits, context)
    await restorer.readSegment(feed)
    await restorer.apply()
    await expect(restorer.readSegment(feed)).rejects.toMatchObject({ code: 'RESTORE_HELD_LIMIT', offset: begin.length + fits.length, record: 6 })
    expect(feed.offset).toBe(begin.length + fits.length + 8)
    expect(guest.page(1)).toEqual(page(1))
  })

  it('has the same room for each checkpoint', async () => {
    const { restorer } = await open({ heldBytesMax: 24 + 4096 })
    const feed = feedOf(begin, ...[3, 4, 5].flatMap((fill) => [pageData(ordinary(1, fill)), checkpoint]))
    for (let i = 0; i < 4; i++) {
      await restorer.readSegment(feed)
      await restorer.apply()
    }
    expect(restorer.epochs).toBe(4)
  })

  it('may be megabytes', async () => {
    const { guest, restorer } = await open()
    const pages = Array.from({ length: 700 }, (_, i) => ordinary(i, i % 251))
    const feed = feedOf(begin, pageData(...pages), context, pageData(...pages.slice(0, 20)), checkpoint)
    await restorer.readSegment(feed)
    await restorer.apply()
    await restorer.readSegment(feed)
    await restorer.apply()
    expect([0, 255, 256, 699].every((pfn) => guest.page(pfn).every((byte) => byte === pfn % 251))).toBe(true)
  })

  const damaged = [
    ['a page of a reserved type', pageData([1, 5, page(0)]), 'XC_PAGES_TYPE'],
    ['a context without content', encodeRecord(XC.HVM_CONTEXT, new Uint8Array(0)), 'XC_HVM_CONTEXT_EMPTY'],
    ['a record of the other kind of guest', encodeRecord(XC.SHARED_INFO, page(0)), 'XC_FOREIGN_RECORD'],
    ['a record that nobody knows', encodeRecord(0x8000_0000, new Uint8Array(0)), 'XC_OPTIONAL_IN_CHECKPOINT'],
    ['a record longer than any may be', join(Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 8)), 'XC_LENGTH_MAX'],
  ] as const
  for (const [what, bytes, code] of damaged) {
    it(`is looked at as it comes: ${what} leaves the guest as it was`, async () => {
      const { guest, restorer } = await open()
      const feed = feedOf(begin, pageData(ordinary(1, 7)), bytes)
      await restorer.readSegment(feed)
      await restorer.apply()
      await expect(restorer.readSegment(feed)).rejects.toMatchObject({ code, record: 5 })
      expect(guest.page(1)).toEqual(page(1))
    })
  }

  it('is named at its own place when the guest cannot take it', async () => {
    const { guest, restorer } = await open()
    const feed = feedOf(begin, context, pageData([2 ** 45, 0xe]), checkpoint)
    await restorer.readSegment(feed)
    await restorer.apply()
    await restorer.readSegment(feed)
    await expect(restorer.apply()).rejects.toMatchObject({ code: 'XC_PFN_UNADDRESSABLE', record: 5, offset: begin.length + 16 + 16 })
    await expect(restorer.complete()).rejects.toMatchObject({ code: 'RESTORE_ORDER' })
    expect(guest.completions).toBe(0)
  })
})

describe('steps in a wrong order are refused', () => {
  const wrong: readonly (readonly [string, (restorer: ImageRestorer) => unknown])[] = [
    ['complete() before anything was read', (restorer) => restorer.complete()],
    ['apply() before anything was read', (restorer) => restorer.apply()],
    ['readSegment() with a checkpoint waiting', async (restorer) => [await restorer.readSegment(feedOf(begin)), await restorer.readSegment(feedOf(begin))]],
    ['complete() with a checkpoint waiting', async (restorer) => [await restorer.readSegment(feedOf(begin)), await restorer.complete()]],
    ['readSegment() behind the end', async (restorer) => [await restorer.readSegment(feedOf(start(), end)), await restorer.readSegment(feedOf(begin))]],
    ['anything after close()', (restorer) => [restorer.close(), restorer.readSegment(feedOf(begin))][1]],
  ]
  for (const [what, work] of wrong) {
    it(what, async () => {
      const { restorer } = await open()
      await expect(work(restorer)).rejects.toMatchObject({ code: 'RESTORE_ORDER', hint: expect.any(String) as string })
    })
  }

  it('complete() twice for a PV guest', async () => {
    const guest = new TestGuest({ kind: 'pv' })
    const { restorer } = await open({ mode: 'plain' }, guest)
    const { vector } = await import('../gold-vectors.ts')
    await restorer.readSegment(new StreamFeed(new ByteReader(sourceOfBytes(vector('ok_xc_v3_pv64')))))
    await restorer.complete()
    await expect(restorer.complete()).rejects.toMatchObject({ code: 'RESTORE_ORDER' })
  })
})

describe('a restore that is called off', () => {
  it('stops at the next bytes', async () => {
    const aborter = new AbortController()
    const { restorer } = await open()
    const feed = new StreamFeed(readerOf(begin), { signal: aborter.signal })
    aborter.abort('no longer wanted')
    await expect(restorer.readSegment(feed)).rejects.toMatchObject({ code: 'RESTORE_ABORTED', cause: 'no longer wanted' })
  })

  it('is not taken for a sender that is lost', async () => {
    const aborter = new AbortController()
    const { restorer } = await open()
    const source = sourceOfBytes(begin)
    const read: typeof source.read = (max) => source.read(max) ?? (aborter.abort(), Promise.reject(new Error('closed')))
    const feed = new StreamFeed(new ByteReader({ read }), { signal: aborter.signal })
    await restorer.readSegment(feed)
    await restorer.apply()
    await expect(restorer.readSegment(feed)).rejects.toMatchObject({ code: 'RESTORE_ABORTED' })
  })
})
