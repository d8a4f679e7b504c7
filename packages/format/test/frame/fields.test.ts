import { describe, expect, it } from 'vitest'
import { struct } from '../../src/bytes/struct.ts'
import { bits } from '../../src/frame/bits.ts'
import { structCodec } from '../../src/frame/codec.ts'
import { s64, s8 } from '../../src/frame/signed.ts'
import { thereAndBack } from './there-and-back.ts'

const refused = expect.objectContaining({ code: 'FMT_JSON' }) as Error

describe('signed numbers', () => {
  const codec = structCodec('SIGNED', struct(9, { shift: s8, offset: s64 }))
  it('are negative where they are', () => {
    expect(thereAndBack(codec, new Uint8Array(9).fill(0xff))).toEqual({ shift: -1, offset: '-1' })
    expect(thereAndBack(codec, Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0, 0x80))).toEqual({ shift: -128, offset: '-9223372036854775808' })
  })
  it.each([[128], [-129], [0.5], ['1'], [undefined]])('do not take %s for 8 bits', (json) => {
    expect(() => s8.fromJson(json)).toThrow(refused)
  })
  it.each([['9223372036854775808'], ['-9223372036854775809'], ['x'], [''], [1], [undefined]])('do not take %s for 64 bits', (json) => {
    expect(() => s64.fromJson(json)).toThrow(refused)
  })
})

describe('bit fields', () => {
  const codec = structCodec('BITS', struct(1, { modes: bits({ low: 3, one: 1, high: 4 }) }))
  it('come by name, the lowest first', () => {
    expect(thereAndBack(codec, Uint8Array.of(0b1010_1_110))).toEqual({ modes: { low: 6, one: 1, high: 10 } })
  })
  it.each([[{ low: 8, one: 0, high: 0 }], [{ low: -1, one: 0, high: 0 }], [{ low: 0.5, one: 0, high: 0 }], [{ low: '1', one: 0, high: 0 }], [{}], [null]])('do not take %j', (json) => {
    expect(() => codec.fromJson({ modes: json })).toThrow(refused)
  })
  it('fill their byte, or the table cannot be loaded', () => {
    expect(() => bits({ low: 3 })).toThrow('the bits add up to 3, a byte has 8')
  })
})
