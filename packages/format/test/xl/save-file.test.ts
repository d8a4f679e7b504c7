import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { joined } from '../../src/bytes/joined.ts'
import { newXlHeader, XL, xlHeaderCodec } from '../../src/xl/save-header.ts'
import { configOf, xlBlock } from '../../src/xl/optional-block.ts'
import { bytesOfUtf8, utf8OfBytes } from '../../src/xl/utf8.ts'
import { thereAndBack, words } from '../frame/there-and-back.ts'
import { vector } from '../vectors.ts'

const tiny = vector('ok_xlfile_tiny')

describe('the header of an xl file', () => {
  it('is written as xl writes it', () => {
    expect(xlHeaderCodec.encode(newXlHeader(7))).toEqual(tiny.slice(0, 48))
  })
  it('tells what follows', () => {
    const { byteOrder, mandatoryFlags, optionalFlags, blockLength } = xlHeaderCodec.decode(tiny.subarray(0, 48))
    expect({ byteOrder, mandatoryFlags, optionalFlags, blockLength }).toEqual({ byteOrder: XL.byteOrder, mandatoryFlags: 3, optionalFlags: 0, blockLength: 7 })
    thereAndBack(xlHeaderCodec, tiny.slice(0, 48))
  })
})

describe('the optional block of an xl file', () => {
  it('holds the configuration as text', () => {
    expect(thereAndBack(xlBlock, tiny.slice(48, 55))).toEqual({ config: '{}\0', rest: '' })
  })
  it('may hold none, and things unknown behind it', () => {
    expect(thereAndBack(xlBlock, words(0, 0x01020304))).toEqual({ config: '', rest: '04030201' })
  })
  it('holds bytes where the configuration is not UTF-8', () => {
    expect(thereAndBack(xlBlock, joined(words(2), Uint8Array.of(0x41, 0xff)))).toEqual({ configHex: '41ff', rest: '' })
  })
  it.each([[new Uint8Array(0)], [new Uint8Array(3)], [words(5, 0)], [words(0xffffffff)]])('is refused when it is too short: %j', (bytes) => {
    expect(() => xlBlock.decode(bytes)).toThrow(expect.objectContaining({ code: 'FMT_BODY_SIZE' }))
  })
  it.each([[{ rest: '' }], [{ config: 1, rest: '' }], [{ config: '' }], [{ configHex: 'x', rest: '' }]])('is not made from %j', (json) => {
    expect(() => xlBlock.fromJson(json)).toThrow(expect.objectContaining({ code: 'FMT_JSON' }))
  })
})

describe('the configuration in an optional block', () => {
  const ab = bytesOfUtf8('ab')
  it('is had without the NUL that ends JSON', () => {
    expect(configOf(joined(words(3), bytesOfUtf8('ab\0')))).toEqual(ab)
    expect(configOf(joined(words(2), ab, ab))).toEqual(ab)
  })
  it('is as long as the block where the length says more', () => {
    expect(configOf(joined(words(100), ab))).toEqual(ab)
  })
  it('may not be there', () => {
    expect(configOf(undefined)).toBeUndefined()
    expect(configOf(new Uint8Array(3))).toBeUndefined()
    expect(configOf(words(0))).toBeUndefined()
    expect(configOf(joined(words(1), new Uint8Array(1)))).toBeUndefined()
  })
})

describe('UTF-8', () => {
  it('comes back whatever the text', () =>
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 6000 }), (text) => {
      expect(utf8OfBytes(bytesOfUtf8(text))).toBe(text)
    })))
  it('is what everyone else writes and reads', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(bytesOfUtf8(text)).toEqual(new Uint8Array(new TextEncoder().encode(text)))
    }))
    expect(utf8OfBytes(new TextEncoder().encode('é€😀'.repeat(3000)))).toBe('é€😀'.repeat(3000))
  })
  it.each([
    ['a stray following byte', [0x80]],
    ['a lead byte that is cut', [0xe2, 0x82]],
    ['a lead byte without its followers', [0xc3, 0x41]],
    ['a needlessly long form', [0xe0, 0x80, 0x80]],
    ['half of a surrogate pair', [0xed, 0xa0, 0x80]],
    ['a code point beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
    ['a byte that is never used', [0xff]],
  ])('shows %s as replacement characters', (_, bytes) => {
    expect(utf8OfBytes(Uint8Array.from(bytes))).toMatch(/^\ufffd+A?\ufffd*$/)
  })
  it('has no half of a surrogate pair', () => {
    expect(bytesOfUtf8('\ud800')).toEqual(Uint8Array.of(0xef, 0xbf, 0xbd))
  })
})
