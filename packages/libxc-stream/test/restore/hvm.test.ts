import { encodeRecord, XC } from '@xen-replication/format'
import { describe, expect, it } from 'vitest'
import type { RestoreEvent } from '../../src/restore/restore-event.ts'
import { restoreImage } from '../../src/restore/restore-image.ts'
import { context, dripping, end, join, longs, ordinary, page, pageData, params, readerOf, start, staticEnd, words, type Page } from './stream-of.ts'
import { TestGuest, type TestGuestOptions } from './test-guest.ts'

async function restore(parts: readonly Uint8Array[], options: Partial<TestGuestOptions> = {}): Promise<{ guest: TestGuest; events: RestoreEvent[] }> {
  const guest = new TestGuest({ kind: 'hvm', ...options })
  const events: RestoreEvent[] = []
  await restoreImage(readerOf(...parts), guest.port, { mode: 'plain', observe: (event) => events.push(event) })
  return { guest, events }
}

const image = (...records: readonly Uint8Array[]): readonly Uint8Array[] => [start(), staticEnd, ...records, end]

describe('pages', () => {
  it('hold what came last, wherever the bytes were cut on their way', async () => {
    const bytes = join(...image(pageData(ordinary(1), ordinary(9, 4), [2, 0xf]), pageData(ordinary(9, 5), [3, 0xe])))
    for (const size of [1, 7, 4096, 5000]) {
      const guest = new TestGuest({ kind: 'hvm' })
      await restoreImage(dripping(bytes, size), guest.port, { mode: 'plain' })
      expect([guest.page(1), guest.page(9), guest.page(3)]).toEqual([page(1), page(5), page(0)])
      expect(guest.frame(2)).toBeUndefined()
    }
  })

  it('that come as XTAB later stay as they were', async () => {
    const { guest } = await restore(image(pageData(ordinary(1)), pageData([1, 0xf], [1, 0xd])))
    expect(guest.page(1)).toEqual(page(1))
  })

  it('may come twice in one record', async () => {
    const { guest } = await restore(image(pageData(ordinary(1), ordinary(1, 8))))
    expect(guest.page(1)).toEqual(page(8))
  })

  it('come in whole runs of 2 MiB where they lie so, else singly', async () => {
    const pages = Array.from({ length: 1300 }, (_, i) => ordinary(500 + i))
    const { guest } = await restore(image(pageData(...pages.slice(0, 1024)), pageData(...pages.slice(1024))))
    expect(guest.calls.filter((call) => call === 'populate')).toHaveLength(1 + 1 + 1) // the run, the rest of its record, the other record
    expect(guest.populated).toBe(1300)
    expect(guest.page(1023)).toEqual(page(1023 & 0xff))
  })

  it('come singly when the host has no such runs', async () => {
    const pages = Array.from({ length: 1024 }, (_, i) => ordinary(512 + i))
    const { guest } = await restore(image(pageData(...pages)), { runs: false })
    expect(guest.populated).toBe(1024)
    expect(guest.page(1535)).toEqual(page(1535 & 0xff))
  })

  it('may be more than a thousand in one record', async () => {
    const pages = Array.from({ length: 2500 }, (_, i): Page => (i % 3 === 0 ? [i, 0xf] : ordinary(i)))
    const { guest } = await restore(image(pageData(...pages)))
    expect(guest.page(2498)).toEqual(page(2498 & 0xff))
    expect(guest.populated).toBe(2500 - 834)
  })

  it('beyond what a machine can address are refused, holes there are not', async () => {
    await restore(image(pageData([2 ** 51, 0xf], [2 ** 51 + 1, 0xd])))
    await expect(restore(image(pageData([1, 0xf], [2 ** 40, 0xe])))).rejects.toMatchObject({ code: 'XC_PFN_UNADDRESSABLE', offset: 40 + 8 + 8 + 8 + 8, record: 1 })
  })

  it('far apart take no memory by their distance', async () => {
    const { guest } = await restore(image(pageData(...Array.from({ length: 300 }, (_, i): Page => [i * 2 ** 30, 0xe]))))
    expect(guest.populated).toBe(300)
  })

  it('are compared behind VERIFY to the end of the image, and not written', async () => {
    const verify = encodeRecord(XC.VERIFY, new Uint8Array(0))
    const { guest, events } = await restore(image(pageData(ordinary(1), ordinary(2), ordinary(3)), verify, pageData(ordinary(1), ordinary(2, 9)), pageData(ordinary(3, 9))))
    expect(events.filter(({ type }) => type.startsWith('verify'))).toEqual([{ type: 'verify-begin' }, { type: 'verify-mismatch', pfn: 2 }, { type: 'verify-mismatch', pfn: 3 }])
    expect([guest.page(2), guest.page(3)]).toEqual([page(2), page(3)])
  })
})

describe('parameters', () => {
  it('empty the rings, whose other ends are new, and have the console be connected anew', async () => {
    const pages = [1, 2, 3, 4].map((pfn) => ordinary(pfn, 0xee))
    const { guest } = await restore(image(pageData(...pages), params([1, 1], [5, 2], [6, 3], [17, 4], [12, 1])))
    const console = page(0)
    console[0xc10] = 1
    expect([1, 2, 3, 4].map((pfn) => guest.page(pfn))).toEqual([page(0), page(0), page(0), console])
    expect(guest.completed).toEqual({ store: 1, console: 4 })
  })

  it('go to the host with the ports of the rings, which are its own', async () => {
    const { guest } = await restore(image(params([12, 0xfeff], [4, 1])))
    expect([...guest.params]).toEqual([
      [12, 0xfeffn],
      [2, 3n],
      [18, 4n],
    ])
    expect(guest.completed).toEqual({ store: 0, console: 0 })
  })

  it('of rings whose pages are still to come leave them to come', async () => {
    const { guest } = await restore(image(params([17, 4]), pageData(ordinary(4))))
    expect(guest.page(4)).toEqual(page(4))
  })
})

describe('other state', () => {
  it('of the CPU goes to the host as it came last, the context at the very end', async () => {
    const tsc = (mode: number): Uint8Array => encodeRecord(XC.X86_TSC_INFO, join(words(mode, 5), longs(6), words(7, 0)))
    const { guest } = await restore(image(context, tsc(1), encodeRecord(XC.HVM_CONTEXT, Uint8Array.of(9)), tsc(2)))
    expect(guest.tsc).toEqual({ mode: 2, khz: 5, nsec: 6n, incarnation: 7 })
    expect(guest.context).toEqual(Uint8Array.of(9))
    expect(guest.calls.slice(-2)).toEqual(['setHvmContext', 'complete'])
  })

  it('that never came is left to the host to refuse', async () => {
    const { guest } = await restore(image())
    expect(guest.context).toEqual(new Uint8Array(0))
  })

  it('of a PVH guest is the same', async () => {
    const { guest } = await restore(image(context), { kind: 'pvh' })
    expect(guest.context).toEqual(Uint8Array.of(1, 2, 3))
  })
})

const cpuid = encodeRecord(XC.X86_CPUID_POLICY, page(1).subarray(0, 48))
const msr = encodeRecord(XC.X86_MSR_POLICY, page(2).subarray(0, 16))

describe('the CPU policy', () => {
  it('takes effect as a whole, before any page', async () => {
    const { guest, events } = await restore([start(), cpuid, msr, staticEnd, pageData(ordinary(1)), end])
    expect(guest.policy).toEqual({ cpuid: page(1).subarray(0, 48), msr: page(2).subarray(0, 16) })
    expect(guest.calls[0]).toBe('setPolicy')
    expect(events[1]).toEqual({ type: 'static-data', missing: [] })
  })

  it('that is missing is told, so that the host makes one', async () => {
    const { guest, events } = await restore([start(), msr, staticEnd, end])
    expect(guest.policy?.cpuid).toHaveLength(0)
    expect(events[1]).toEqual({ type: 'static-data', missing: ['cpuid'] })
  })

  it('is complete at the first page of a version 2 image', async () => {
    const { guest } = await restore([start({ version: 2 }), cpuid, pageData(ordinary(1)), end])
    expect(guest.calls.slice(0, 2)).toEqual(['setPolicy', 'populate'])
  })

  it('is refused where Xen would drop it silently', async () => {
    await expect(restore([start(), staticEnd, cpuid, end])).rejects.toMatchObject({ code: 'XC_POLICY_LATE', offset: 48, record: 1 })
    await expect(restore([start(), cpuid, end])).rejects.toMatchObject({ code: 'XC_STATIC_END_ABSENT', offset: 40 + 56 })
  })
})

it('an image says of itself what it is', async () => {
  const { events } = await restore(image())
  expect(events[0]).toEqual({ type: 'image', version: 3, guest: 'hvm', converted: false })
})

it('how far a restore has come is told after each record of pages', async () => {
  const { events } = await restore(image(pageData(ordinary(1), [2, 0xf]), pageData(ordinary(3))))
  expect(events.filter(({ type }) => type === 'pages')).toEqual([
    { type: 'pages', entries: 2, contents: 1, bytes: 48 + 32 + 4096 },
    { type: 'pages', entries: 3, contents: 2, bytes: 48 + 32 + 4096 + 24 + 4096 },
  ])
})

it('a record that may be passed over is, and that is told', async () => {
  const { events } = await restore(image(encodeRecord(0x8000_0001, page(1).subarray(0, 5))))
  expect(events.at(-1)).toEqual({ type: 'skipped', recordType: 0x8000_0001, offset: 48 })
})

it('nothing behind END is read', async () => {
  const reader = readerOf(...image(), page(1))
  await restoreImage(reader, new TestGuest({ kind: 'hvm' }).port, { mode: 'plain' })
  expect(await reader.upTo(5000)).toHaveLength(4096)
})
