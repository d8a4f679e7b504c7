import { describe, expect, it } from 'vitest'
import { domainHeaderCodec, guestKind, isConverted } from '../../src/libxc/domain-header.ts'
import { IMAGE, imageHeaderCodec } from '../../src/libxc/image-header.ts'
import { thereAndBack, words } from '../frame/there-and-back.ts'
import { vector } from '../vectors.ts'

const tiny = vector('ok_xc_v3_hvm_tiny')

describe('the head of a libxc image', () => {
  it('tells version and byte order', () => {
    expect(imageHeaderCodec.decode(tiny.subarray(0, 24))).toEqual({ marker: IMAGE.marker, id: IMAGE.id, version: 3, options: 0 })
  })
  it('tells the guest and the Xen that saved it', () => {
    const header = domainHeaderCodec.decode(tiny.subarray(24, 40))
    expect(header).toEqual({ type: 2, pageShift: 12, xenMajor: 4, xenMinor: 23 })
    expect([guestKind(header.type), isConverted(header)]).toEqual(['hvm', false])
  })
  it('says when it was converted from the legacy format', () => {
    expect(isConverted(domainHeaderCodec.decode(words(1, 12, 0, 1)))).toBe(true)
    expect([1, 3].map(guestKind)).toEqual(['pv', undefined])
  })
  it('comes back byte for byte', () => {
    thereAndBack(imageHeaderCodec, tiny.slice(0, 24))
    thereAndBack(domainHeaderCodec, tiny.slice(24, 40))
  })
  it('is refused when it is cut', () => {
    expect(() => imageHeaderCodec.decode(tiny.subarray(0, 23))).toThrow(/image header: 24 bytes wanted, 23 bytes found/)
  })
})
