import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeBody } from '../../src/frame/describe.ts'
import { pfnsCodec } from '../../src/frame/pfns.ts'
import { thereAndBack, words } from './there-and-back.ts'

const codec = pfnsCodec('LIST')

describe('a list of frame numbers', () => {
  it('holds every number that a frame can have', () =>
    fc.assert(fc.property(fc.array(fc.maxSafeNat()), (pfns) => {
      expect(thereAndBack(codec, codec.encode(pfns))).toEqual(pfns)
      expect(codec.decode(codec.encode(pfns))).toEqual(pfns)
    })))
  it('stays bytes when a number is beyond 2^53, so none is changed by rounding', () => {
    const bytes = words(1, 0x200000)
    expect(() => codec.decode(bytes)).toThrow(expect.objectContaining({ code: 'FMT_VALUE' }))
    expect(describeBody(codec, bytes)).toEqual({ raw: '0100000000002000' })
  })
  it('is refused when a number is cut', () => {
    expect(() => codec.decode(new Uint8Array(12))).toThrow(/LIST: a multiple of 8 bytes wanted, 12 bytes found/)
  })
  it.each([[-1], [0.5], [Number.NaN], [2 ** 53]])('cannot be written with %s in it', (pfn) => {
    expect(() => codec.encode([pfn])).toThrow(expect.objectContaining({ code: 'FMT_VALUE' }))
    expect(() => codec.fromJson([pfn])).toThrow(expect.objectContaining({ code: 'FMT_JSON' }))
  })
  it('needs numbers in JSON', () => {
    expect(() => codec.fromJson(['1'])).toThrow(/a frame number wanted, "1" found/)
  })
})
