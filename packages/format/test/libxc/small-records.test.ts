import { describe, expect, it } from 'vitest'
import { checkpoint, end, staticDataEnd, verify } from '../../src/libxc/empty-records.ts'
import { hvmParamName, savedHvmParams } from '../../src/libxc/hvm-param-names.ts'
import { hvmParams } from '../../src/libxc/hvm-params.ts'
import { NO_SUBLEAF, x86CpuidPolicy } from '../../src/libxc/x86-cpuid-policy.ts'
import { x86MsrPolicy } from '../../src/libxc/x86-msr-policy.ts'
import { x86PvInfo } from '../../src/libxc/x86-pv-info.ts'
import { p2mFrameCount, x86PvP2mFrames } from '../../src/libxc/x86-pv-p2m-frames.ts'
import { x86TscInfo } from '../../src/libxc/x86-tsc-info.ts'
import { thereAndBack, words } from '../frame/there-and-back.ts'

const wrongSize = expect.objectContaining({ code: 'FMT_BODY_SIZE' }) as Error

it('a PV guest’s width and page table levels', () => {
  expect(thereAndBack(x86PvInfo, Uint8Array.of(8, 4, 0, 0, 0, 0, 0, 0))).toEqual({ guestWidth: 8, ptLevels: 4 })
})

describe('where a PV guest keeps its p2m table', () => {
  it('is a range and the pages of the table', () => {
    expect(thereAndBack(x86PvP2mFrames, words(0, 600, 5, 0, 6, 0))).toEqual({ startPfn: 0, endPfn: 600, frames: [5, 6] })
    expect(thereAndBack(x86PvP2mFrames, words(0, 8))).toEqual({ startPfn: 0, endPfn: 8, frames: [] })
  })
  it('takes a page for each 512 entries of 8 bytes, or 1024 of 4', () => {
    expect(p2mFrameCount({ startPfn: 0, endPfn: 600 }, 8)).toBe(2)
    expect(p2mFrameCount({ startPfn: 0, endPfn: 600 }, 4)).toBe(1)
    expect(p2mFrameCount({ startPfn: 512, endPfn: 1024 }, 8)).toBe(2)
  })
  it('is refused when it is cut', () => {
    expect(() => x86PvP2mFrames.decode(words(0))).toThrow(wrongSize)
    expect(() => x86PvP2mFrames.decode(words(0, 8, 3))).toThrow(wrongSize)
  })
})

it('how the time stamp counter goes on', () => {
  expect(thereAndBack(x86TscInfo, words(1, 2_000_000, 9, 1, 7, 0))).toEqual({ mode: 1, khz: 2_000_000, nsec: '0x100000009', incarnation: 7 })
})

describe('HVM parameters', () => {
  it('come with their names, unknown ones without', () => {
    expect(thereAndBack(hvmParams, words(2, 0, 1, 0, 0xfeff, 0, 99, 0, 1, 1))).toEqual([
      { name: 'STORE_PFN', index: '0x1', value: '0xfeff' },
      { index: '0x63', value: '0x100000001' },
    ])
  })
  it('may be none', () => {
    expect(thereAndBack(hvmParams, words(0, 0))).toEqual([])
  })
  it('are refused when count and length differ', () => {
    expect(() => hvmParams.decode(words(2, 0, 1, 0, 1, 0))).toThrow(/HVM_PARAMS: 40 bytes for a count of 2 wanted, 24 bytes found/)
  })
  it('all have names when Xen’s saver asks for them', () => {
    expect(savedHvmParams.map((index) => hvmParamName(BigInt(index)))).not.toContain(undefined)
    expect(new Set(savedHvmParams).size).toBe(16)
    expect(hvmParamName(0xffff_ffff_ffff_ffffn)).toBeUndefined()
  })
})

describe('the CPU that the guest is told of', () => {
  it('by leaf and subleaf', () => {
    expect(thereAndBack(x86CpuidPolicy, words(0, NO_SUBLEAF, 13, 1, 2, 3))).toEqual([{ leaf: 0, subleaf: NO_SUBLEAF, a: 13, b: 1, c: 2, d: 3 }])
  })
  it('by model-specific register', () => {
    expect(thereAndBack(x86MsrPolicy, words(0xce, 0, 0x80000000, 0, 0x999, 1, 0, 0))).toEqual([
      { name: 'PLATFORM_INFO', index: 0xce, flags: 0, value: '0x80000000' },
      { index: 0x999, flags: 1, value: '0x0' },
    ])
  })
  it.each([[x86CpuidPolicy], [x86MsrPolicy]])('is refused when it is empty or cut: $name', (codec) => {
    expect(() => codec.decode(new Uint8Array(0))).toThrow(wrongSize)
    expect(() => codec.decode(new Uint8Array(23))).toThrow(wrongSize)
  })
})

it.each([[end], [verify], [checkpoint], [staticDataEnd]])('$name has no body', (codec) => {
  expect(thereAndBack(codec, new Uint8Array(0))).toEqual({})
  expect(() => codec.decode(new Uint8Array(8))).toThrow(wrongSize)
})
