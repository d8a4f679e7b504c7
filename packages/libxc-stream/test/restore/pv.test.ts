import { ByteReader, encodeRecord, sourceOfBytes, viewOf, XC } from '@xen-replication/format'
import { describe, expect, it } from 'vitest'
import type { RestoreEvent } from '../../src/restore/restore-event.ts'
import { restoreImage } from '../../src/restore/restore-image.ts'
import { vector } from '../gold-vectors.ts'
import { end, join, longs, ordinary, page, pageData, start, staticEnd, words, type Page } from './stream-of.ts'
import { TestGuest, type TestGuestOptions } from './test-guest.ts'

async function restore(bytes: Uint8Array, options: Partial<TestGuestOptions> = {}): Promise<{ guest: TestGuest; events: RestoreEvent[] }> {
  const guest = new TestGuest({ kind: 'pv', maxVcpuId: 1, ...options })
  const events: RestoreEvent[] = []
  await restoreImage(new ByteReader(sourceOfBytes(bytes)), guest.port, { mode: 'plain', observe: (event) => events.push(event) })
  return { guest, events }
}

const word = (bytes: Uint8Array | undefined, at: number, width: 4 | 8): number =>
  width === 8 ? Number(viewOf(bytes as Uint8Array).getBigUint64(at, true)) : viewOf(bytes as Uint8Array).getUint32(at, true)

/** Where the layouts of both widths differ. */
const layouts = [
  { name: 'ok_xc_v3_pv64', width: 8, regs: { startInfo: 616, flags: 512 }, start: { shared: 40, flags: 48, store: 56, storePort: 64, console: 72, consolePort: 80 }, top: 4, mask: [2560, 3072], arch: [3088, 3096, 3136] },
  { name: 'ok_xc_v3_pv32', width: 4, regs: { startInfo: 524, flags: 512 }, start: { shared: 36, flags: 40, store: 44, storePort: 48, console: 52, consolePort: 56 }, top: 4, mask: [2176, 2304], arch: [2316, 2320, 2344] },
] as const

for (const { name, width, regs, start: at, top, mask, arch } of layouts) {
  describe(`a PV guest of ${8 * width} bits`, () => {
    it('finds its rings and its shared page at their new places', async () => {
      const { guest } = await restore(vector(name))
      const info = guest.page(0)
      expect([word(info, at.store, width), word(info, at.console, width)]).toEqual([guest.frame(1), guest.frame(2)])
      expect(guest.completed).toEqual({ store: guest.frame(1), console: guest.frame(2) })
      expect(word(info, 32, width)).toBe(9)
      expect(word(info, at.shared, width)).toBe(0x40_0000)
      expect([at.flags, at.storePort, at.consolePort].map((byte) => word(info, byte, 4))).toEqual([0, 3, 4])
      expect(guest.page(2)[0xc10]).toBe(1)
    })

    it('has a vCPU that points to the new frames and is online', async () => {
      const { guest } = await restore(vector(name))
      const context = guest.vcpu(0, 'context') as Uint8Array
      const mfn = guest.frame(top) as number
      expect(word(context, regs.startInfo, width)).toBe(guest.frame(0))
      expect(width === 8 ? word(context, 5008, 8) : word(context, 2728, 4)).toBe(width === 8 ? mfn * 4096 : ((mfn << 12) | (mfn >>> 20)) >>> 0)
      expect(word(context, regs.flags, 4) & 0x20).toBe(0x20)
    })

    it('gets its own table of frames written anew, all ones where it has no page', async () => {
      const { guest } = await restore(vector(name))
      const none = width === 8 ? 2 ** 64 : 0xffff_ffff
      const table = guest.page(3)
      expect(Array.from({ length: 9 }, (_, pfn) => word(table, pfn * width, width))).toEqual(Array.from({ length: 9 }, (_, pfn) => guest.frame(pfn) ?? none))
    })

    it('has its pinned tables pinned again', async () => {
      const { guest } = await restore(vector(name))
      expect(guest.pinned).toEqual([[width === 8 ? 4 : 3, guest.frame(4)]])
    })

    it('keeps what it shared with Xen but for event channels, clock and the way to the old table', async () => {
      const bytes = vector(name)
      const { guest } = await restore(bytes)
      const saved = bytes.subarray(findRecord(bytes, XC.SHARED_INFO) + 8).subarray(0, 4096)
      const wanted = new Uint8Array(4096).fill(0x5a)
      wanted.set(saved.subarray(0, 2048))
      wanted.fill(0, 2048, mask[0]).fill(0xff, mask[0], mask[1])
      wanted.set(saved.subarray(arch[0], arch[2]), arch[0])
      wanted.fill(0, arch[1], arch[1] + width)
      for (let vcpu = 0; vcpu < 32; vcpu++) wanted.fill(0, vcpu * 64 + width, vcpu * 64 + 2 * width)
      expect(guest.sharedInfo).toEqual(wanted)
    })
  })
}

function findRecord(bytes: Uint8Array, type: number): number {
  const view = viewOf(bytes)
  let at = 40
  while (view.getUint32(at, true) !== type) at += 8 + Math.ceil(view.getUint32(at + 4, true) / 8) * 8
  return at
}

it('a domain made for 64 bits takes a guest of 32 bits', async () => {
  const { guest } = await restore(vector('ok_xc_v3_pv32'), { width: 8 })
  expect(guest.width).toBe(4)
  expect(guest.calls).toContain('setWidth')
})

it('a domain that is of the right width already is left as it is', async () => {
  const { guest } = await restore(vector('ok_xc_v3_pv32'), { width: 4 })
  expect(guest.calls).not.toContain('setWidth')
})

it('a host that does not change the width is told apart from one that does', async () => {
  const guest = new TestGuest({ kind: 'pv' })
  const stubborn = { ...guest.port, pv: { ...(guest.port.pv as NonNullable<typeof guest.port.pv>), setWidth: () => Promise.resolve() } }
  await expect(restoreImage(new ByteReader(sourceOfBytes(vector('ok_xc_v3_pv32'))), stubborn, { mode: 'plain' })).rejects.toMatchObject({ code: 'RESTORE_WIDTH', offset: 40, record: 0 })
})

it('a backend that cannot build PV guests is refused before anything is read', async () => {
  const guest = new TestGuest({ kind: 'pv' })
  await expect(restoreImage(new ByteReader(sourceOfBytes(new Uint8Array(0))), { ...guest.port, pv: undefined }, { mode: 'plain' })).rejects.toMatchObject({ code: 'RESTORE_GUEST' })
})

// A small guest by hand: 0 start_info, 1 store, 2 console, 3 p2m, 4 top table, 5.. others.
const entry = (pfn: number, flags = 0x67n): bigint => (BigInt(pfn) << 12n) | flags | (1n << 63n)
const table = (...entries: readonly (readonly [slot: number, value: bigint])[]): Uint8Array => {
  const bytes = new Uint8Array(4096)
  for (const [slot, value] of entries) viewOf(bytes).setBigUint64(8 * slot, value, true)
  return bytes
}
const startInfo = (): Uint8Array => {
  const bytes = new Uint8Array(4096)
  viewOf(bytes).setBigUint64(56, 1n, true)
  viewOf(bytes).setBigUint64(72, 2n, true)
  return bytes
}
const info = encodeRecord(XC.X86_PV_INFO, Uint8Array.of(8, 4, 0, 0, 0, 0, 0, 0))
const p2m = (last: number, ...frames: readonly number[]): Uint8Array => encodeRecord(XC.X86_PV_P2M_FRAMES, join(words(0, last), longs(...frames)))
interface Regs {
  readonly gdt?: readonly number[]
  readonly entries?: number
  readonly cr1?: bigint
  readonly cr3?: number
  readonly startInfo?: number
}
const basic = ({ gdt = [], entries = 512 * gdt.length, cr1 = 0n, cr3 = 4, startInfo: at = 0 }: Regs = {}, id = 0): Uint8Array => {
  const body = new Uint8Array(8 + 5168)
  const view = viewOf(body)
  view.setUint32(0, id, true)
  view.setBigUint64(8 + 616, BigInt(at), true)
  gdt.forEach((pfn, i) => view.setBigUint64(8 + 4832 + 8 * i, BigInt(pfn), true))
  view.setUint32(8 + 4960, entries, true)
  view.setBigUint64(8 + 4992, cr1, true)
  view.setBigUint64(8 + 5008, BigInt(cr3) << 12n, true)
  return encodeRecord(XC.X86_PV_VCPU_BASIC, body)
}
const first: readonly Page[] = [[0, 0, startInfo()], ordinary(1), ordinary(2), ordinary(3)]
const image = (pages: readonly Page[], ...more: readonly Uint8Array[]): Uint8Array =>
  join(start({ type: 1 }), info, staticEnd, p2m(20, 3), pageData(...first, ...pages), ...more)
const top: Page = [4, 0xc, table([0, entry(5)], [300, 0xfeen])]

describe('page tables', () => {
  it('hold frames of this host, keep their flags, and give pages to what they name', async () => {
    const { guest } = await restore(image([top], basic(), end))
    const view = viewOf(guest.page(4))
    expect(view.getBigUint64(0, true)).toBe(entry(guest.frame(5) as number))
    expect(view.getBigUint64(8 * 300, true)).toBe(0xfeen)
    expect(guest.page(5)).toEqual(new Uint8Array(4096))
  })

  it('may name a page many times before it comes', async () => {
    const { guest } = await restore(image([[4, 4, table([0, entry(6)], [1, entry(6)])], ordinary(6)], basic(), end))
    expect(guest.page(6)).toEqual(page(6))
    expect(viewOf(guest.page(4)).getBigUint64(8, true)).toBe(entry(guest.frame(6) as number))
  })

  it('that name a pfn above the end of the guest are refused, and nothing aborts', async () => {
    await expect(restore(image([[4, 4, table([7, entry(21)])]]))).rejects.toMatchObject({ code: 'XC_PTE_RANGE', record: 3 })
  })

  it('that map a superpage are refused', async () => {
    await expect(restore(image([[4, 2, table([0, entry(1, 0xe7n)])]]))).rejects.toMatchObject({ code: 'RESTORE_PAGE_TABLE' })
  })

  it('are refused when the host gives a frame and then does not know whose it is', async () => {
    const guest = new TestGuest({ kind: 'pv' })
    const pv = guest.port.pv as NonNullable<typeof guest.port.pv>
    const forgetful = { ...guest.port, pv: { ...pv, machine: { ...pv.machine, pfn: () => 0 } } }
    await expect(restoreImage(new ByteReader(sourceOfBytes(image([top]))), forgetful, { mode: 'plain' })).rejects.toMatchObject({ code: 'RESTORE_PAGE_TABLE' })
  })

  it('are compared as this host has them when the image says VERIFY', async () => {
    const again = encodeRecord(XC.VERIFY, new Uint8Array(0))
    const other: Page = [4, 0xc, table([0, entry(6)])]
    const { guest, events } = await restore(image([top], again, pageData(...first, top), pageData(other, [3, 0, page(9)]), basic(), end))
    expect(events.filter(({ type }) => type === 'verify-mismatch')).toEqual([
      { type: 'verify-mismatch', pfn: 4 },
      { type: 'verify-mismatch', pfn: 3 },
    ])
    expect(viewOf(guest.page(4)).getBigUint64(0, true)).toBe(entry(guest.frame(5) as number))
  })

  it('are pinned a thousand at a time, and only those that were pinned', async () => {
    const many = Array.from({ length: 1500 }, (_, i): Page => [30 + i, 9, page(0)])
    const stream = join(start({ type: 1 }), info, staticEnd, p2m(1535, 3, 3, 3), pageData(...first, top, [5, 1, page(0)]), pageData(...many), pageData([30, 0xf]), basic(), end)
    const { guest } = await restore(stream)
    expect(guest.calls.filter((call) => call === 'pin')).toHaveLength(2)
    expect(guest.pinned).toHaveLength(1500)
    expect(guest.pinned.slice(0, 2)).toEqual([
      [4, guest.frame(4)],
      [1, guest.frame(31)],
    ])
  })
})

describe('state of vCPUs', () => {
  const others = [
    encodeRecord(XC.X86_PV_VCPU_EXTENDED, join(words(1, 0), page(1).subarray(0, 64))),
    encodeRecord(XC.X86_PV_VCPU_XSAVE, join(words(1, 0), page(2).subarray(0, 32))),
    encodeRecord(XC.X86_PV_VCPU_MSRS, join(words(1, 0), page(3).subarray(0, 16))),
  ]

  it('is handed over vCPU by vCPU, whatever order it came in', async () => {
    const { guest } = await restore(image([top], ...others, basic({}, 1), basic(), end))
    expect([...guest.vcpus.keys()]).toEqual(['0 context', '1 context', '1 extended', '1 xsave', '1 msrs'])
    expect(guest.vcpu(1, 'msrs')).toEqual(page(3).subarray(0, 16))
  })

  it('that came twice counts as it came last', async () => {
    const { guest } = await restore(image([top], basic({ cr1: 2n }), basic({ cr1: 6n }), end))
    expect(word(guest.vcpu(0, 'context'), 4992, 8)).toBe(6)
  })

  it('without content is passed over, even of a vCPU that the domain does not have', async () => {
    const { guest } = await restore(image([top], encodeRecord(XC.X86_PV_VCPU_BASIC, words(99, 0)), basic(), end))
    expect([...guest.vcpus.keys()]).toEqual(['0 context'])
  })

  it('points to a GDT and to a second page table root on this host', async () => {
    const { guest } = await restore(image([top, ordinary(7), ordinary(8)], basic({ gdt: [7, 8], entries: 513, cr1: 0x4001n }), end))
    const context = guest.vcpu(0, 'context')
    expect([word(context, 4832, 8), word(context, 4840, 8)]).toEqual([guest.frame(7), guest.frame(8)])
    expect(word(context, 4992, 8)).toBe((guest.frame(4) as number) * 4096)
  })

  const wrong: readonly (readonly [string, Regs, string])[] = [
    ['start_info lies in a page table', { startInfo: 4 }, 'XC_START_INFO'],
    ['start_info lies nowhere', { startInfo: 19 }, 'XC_START_INFO'],
    ['the GDT lies in a page table', { gdt: [4] }, 'XC_GDT'],
    ['the GDT is longer than a guest may have', { entries: 7169 }, 'XC_GDT'],
    ['cr3 is no top page table', { cr3: 1 }, 'XC_CR3'],
    ['cr3 lies nowhere', { cr3: 0xff_ffff }, 'XC_CR3'],
    ['cr1 is no top page table', { cr1: 0x1001n }, 'XC_CR3'],
  ]
  for (const [what, regs, code] of wrong) {
    it(`is refused when ${what}, naming the record of the vCPU`, async () => {
      await expect(restore(image([top], basic(regs), end))).rejects.toMatchObject({ code, record: 4 })
    })
  }

  it('is refused for a vCPU that the domain does not have', async () => {
    await expect(restore(image([top], basic({}, 2)))).rejects.toMatchObject({ code: 'XC_VCPU_ID', record: 4 })
  })

  it('is refused when start_info names a ring that the guest does not have', async () => {
    const lost = startInfo()
    viewOf(lost).setBigUint64(72, 19n, true)
    await expect(restore(image([top], pageData([0, 0, lost]), basic(), end))).rejects.toMatchObject({ code: 'XC_START_INFO_RING' })
  })
})

describe('the guest’s own table of frames', () => {
  it('may grow in the middle of an image', async () => {
    const { guest } = await restore(image([top], p2m(600, 3, 5), pageData(ordinary(5), ordinary(600)), basic(), end))
    expect(word(guest.page(5), (600 - 512) * 8, 8)).toBe(guest.frame(600))
    expect(word(guest.page(5), (601 - 512) * 8, 8)).toBe(word(page(5), 0, 8))
  })

  it('is refused when one of its pages is none of the guest’s', async () => {
    await expect(restore(join(start({ type: 1 }), info, staticEnd, p2m(20, 4), pageData(...first, top), basic(), end))).rejects.toMatchObject({ code: 'XC_P2M_FRAME', record: 2 })
  })

  it('is refused when a part of it never came, however far it is said to reach', async () => {
    const far = encodeRecord(XC.X86_PV_P2M_FRAMES, join(words(0xffff_fe00, 0xffff_ffff), longs(3)))
    await expect(restore(image([top], far, basic(), end))).rejects.toMatchObject({ code: 'XC_P2M_FRAME' })
  })
})

it('a page above the announced end is refused at its entry', async () => {
  await expect(restore(image([top, ordinary(21)]))).rejects.toMatchObject({ code: 'XC_PFN_RANGE', record: 3 })
})

it('a top page of a table that the guest fills may be asked for in runs of 2 MiB', async () => {
  const run = Array.from({ length: 512 }, (_, i) => ordinary(512 + i))
  const { guest } = await restore(join(start({ type: 1 }), info, staticEnd, p2m(1023, 3, 3), pageData(...first, top), pageData(...run), basic(), end))
  expect(guest.frame(1023)).toBe((guest.frame(512) as number) + 511)
  expect(guest.page(700)).toEqual(page(700 & 0xff))
})
