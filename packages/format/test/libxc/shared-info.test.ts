import { describe, expect, it } from 'vitest'
import { viewOf } from '../../src/bytes/struct.ts'
import { readSharedInfo, sharedInfo } from '../../src/libxc/shared-info.ts'
import { busy, thereAndBack } from '../frame/there-and-back.ts'

const page = (at: number, value: number): Uint8Array => {
  const bytes = new Uint8Array(4096)
  viewOf(bytes).setUint32(at, value, true)
  return bytes
}

describe('the page that a PV guest shares with Xen', () => {
  it('has clock and p2m where 64 bits have them', () => {
    const bytes = busy(4096)
    const view = viewOf(bytes)
    const value = sharedInfo.decode(bytes)
    if (value.layout !== 'x86_64') throw new Error('the 64-bit layout wanted')
    const { info } = value
    expect([info.maxPfn, info.frameListList, info.nmiReason, info.p2mCr3, info.p2mVaddr, info.p2mGeneration]).toEqual(
      [3088, 3096, 3104, 3112, 3120, 3128].map((at) => view.getBigUint64(at, true)),
    )
    expect([info.wcVersion, info.wcSecHi]).toEqual([view.getUint32(3072, true), view.getUint32(3084, true)])
    expect([info.evtchnPending, info.evtchnMask]).toEqual([bytes.slice(2048, 2560), bytes.slice(2560, 3072)])
    expect(info.vcpuInfo[1]).toMatchObject({ evtchnUpcallPending: bytes[64], evtchnUpcallMask: bytes[65], evtchnPendingSel: view.getBigUint64(72, true) })
    expect(info.vcpuInfo[1]?.time).toMatchObject({ tscTimestamp: view.getBigUint64(104, true), tscShift: view.getInt8(124), flags: bytes[125] })
  })
  it('has them where 32 bits have them', () => {
    const bytes = Uint8Array.from(busy(4096), (byte, i) => (i < 2344 ? byte : 0))
    const view = viewOf(bytes)
    const value = sharedInfo.decode(bytes)
    if (value.layout !== 'x86_32') throw new Error('the 32-bit layout wanted')
    const { info } = value
    expect([info.wcVersion, info.maxPfn, info.frameListList, info.nmiReason, info.p2mCr3, info.p2mVaddr, info.p2mGeneration]).toEqual(
      [2304, 2316, 2320, 2324, 2328, 2332, 2336].map((at) => view.getUint32(at, true)),
    )
    expect([info.evtchnPending, info.evtchnMask]).toEqual([bytes.slice(2048, 2176), bytes.slice(2176, 2304)])
    expect(info.vcpuInfo[0]).toMatchObject({ evtchnPendingSel: view.getUint32(4, true), cr2: view.getUint32(8, true) })
  })
  it('comes back byte for byte in either layout, whatever stands in unused places', () => {
    thereAndBack(sharedInfo, busy(4096))
    thereAndBack(sharedInfo, page(2308, 1700000000))
  })
  it.each([
    ['its clock is where 64 bits have it', page(3076, 1), 'x86_64'],
    ['its clock is where 32 bits have it', page(2308, 1), 'x86_32'],
    ['it is empty', new Uint8Array(4096), 'x86_64'],
  ] as const)('is told by what is on it: %s', (_, bytes, layout) => {
    expect(sharedInfo.decode(bytes).layout).toBe(layout)
  })
  it('is read as it is told when the guest’s width is known', () => {
    expect(readSharedInfo('x86_32', page(2316, 77))).toMatchObject({ layout: 'x86_32', info: { maxPfn: 77 } })
  })
  it('is refused when it is no page, or JSON of no known layout', () => {
    expect(() => sharedInfo.decode(new Uint8Array(4095))).toThrow(/SHARED_INFO: 4096 bytes wanted, 4095/)
    expect(() => sharedInfo.fromJson({ layout: 'arm', info: {} })).toThrow(expect.objectContaining({ code: 'FMT_JSON' }))
  })
})
