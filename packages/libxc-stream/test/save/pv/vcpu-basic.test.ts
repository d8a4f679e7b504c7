import { describe, expect, it } from 'vitest'
import { normaliseVcpu } from '../../../src/save/pv/vcpu-basic.ts'

/** The guest has the frames from 0x1000 on; 0x12345678 is its pfn 7. */
const pfnOf = (mfn: number): number => (mfn === 0x12345678 ? 7 : mfn >= 0x1000 && mfn < 0x2000 ? mfn - 0x1000 : -1)

function context64(change: (view: DataView) => void = () => undefined): Uint8Array {
  const bytes = new Uint8Array(5168).fill(0x5a, 0, 512)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(616, 0x1005n, true)
  view.setBigUint64(5008, 0x1004_000n, true)
  change(view)
  return bytes
}
function context32(change: (view: DataView) => void = () => undefined): Uint8Array {
  const bytes = new Uint8Array(2800)
  const view = new DataView(bytes.buffer)
  view.setUint32(524, 0x1005, true)
  view.setUint32(2728, 0x1004_000, true)
  change(view)
  return bytes
}
const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer)
const error = (context: Uint8Array, width: 4 | 8, id = 0): unknown => {
  try {
    normaliseVcpu(context, id, width, pfnOf)
  } catch (thrown) {
    return thrown
  }
  return undefined
}

describe('a vCPU on its way into an image', () => {
  it('of 64 bits: start_info, GDT and page table roots become pfns, and the original stays', () => {
    const original = context64((v) => {
      v.setBigUint64(4832, 0x1009n, true)
      v.setBigUint64(4840, 0x100an, true)
      v.setBigUint64(4848, 0xffffn, true)
      v.setBigUint64(4960, 513n, true)
      v.setBigUint64(4992, 0x1006_000n, true)
      v.setBigUint64(5008, 0x1004_abcn, true)
    })
    const before = original.slice()
    const out = view(normaliseVcpu(original, 0, 8, pfnOf))
    expect(original).toEqual(before)
    expect([616, 4832, 4840, 4848, 4992, 5008].map((at) => out.getBigUint64(at, true))).toEqual([5n, 9n, 10n, 0xffffn, 0x6001n, 0x4000n])
  })
  it('of 32 bits: the page table root is rotated, so that large frame numbers fit', () => {
    const out = view(normaliseVcpu(context32((v) => (v.setUint32(2728, 0x45678123, true), v.setUint32(2640, 0x1002, true), v.setUint32(2704, 1, true))), 0, 4, pfnOf))
    expect(out.getUint32(524, true)).toBe(5)
    expect(out.getUint32(2640, true)).toBe(2)
    expect(out.getUint32(2728, true)).toBe(0x7000)
  })
  it('of 32 bits: a pfn of more than 20 bits goes round into the low ones', () => {
    const out = view(normaliseVcpu(context32(), 1, 4, () => 0x12345678))
    expect(out.getUint32(2728, true)).toBe(0x45678123)
  })
  it('other than the first: the register that points to start_info there is any other', () => {
    expect(view(normaliseVcpu(context64((v) => v.setBigUint64(616, 99n, true)), 1, 8, pfnOf)).getBigUint64(616, true)).toBe(99n)
  })
  it('without a user page table keeps its zero', () => {
    expect(view(normaliseVcpu(context64(), 0, 8, pfnOf)).getBigUint64(4992, true)).toBe(0n)
  })
  const faults: readonly [string, Uint8Array, 4 | 8, string][] = [
    ['a context of another width', context32(), 8, 'vCPU 0: its context has 2800 bytes, 5168 belong to a guest of 64 bits'],
    ['a GDT that reaches into Xen’s part', context64((v) => v.setBigUint64(4960, 7169n, true)), 8, 'vCPU 0: its GDT has 7169 entries, the guest may use 7168'],
    ['a foreign GDT page', context64((v) => v.setBigUint64(4960, 1n, true)), 8, 'vCPU 0: page 0 of the GDT is frame 0x0, which is not the guest’s'],
    ['a foreign start_info', context32((v) => v.setUint32(524, 0x3000, true)), 4, 'vCPU 0: start_info is frame 0x3000, which is not the guest’s'],
    ['a foreign page table', context32((v) => v.setUint32(2728, 0, true)), 4, 'vCPU 0: cr3 is frame 0x0, which is not the guest’s'],
    ['a foreign page table of 64 bits', context64((v) => v.setBigUint64(5008, 0xfff_ffff_ffff_f000n, true)), 8, 'vCPU 0: cr3 is frame 0xffffffffffff, which is not the guest’s'],
    ['a foreign user page table', context64((v) => v.setBigUint64(4992, 0x4000_000n, true)), 8, 'vCPU 0: cr1 is frame 0x4000, which is not the guest’s'],
  ]
  for (const [what, context, width, message] of faults) {
    it(`is refused with ${what}`, () => expect(error(context, width)).toMatchObject({ code: 'SAVE_VCPU', message }))
  }
})
