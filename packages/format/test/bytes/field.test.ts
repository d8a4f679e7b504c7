import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, list, raw, reserved, s32, toHex, u16, u16be, u32, u32be, u64, u64be, u8, type Field, type Json } from '../../src/bytes/field.ts'
import { asObject, readStruct, struct, writeStruct, type StructOf } from '../../src/bytes/struct.ts'

const refused = expect.objectContaining({ code: 'FMT_JSON' }) as Error
const bytesOf = <T>(field: Field<T>, value: T): readonly number[] => {
  const bytes = new Uint8Array(field.size)
  field.set(new DataView(bytes.buffer), 0, value)
  return [...bytes]
}
const valueOf = <T>(field: Field<T>, ...bytes: readonly number[]): T => field.get(new DataView(Uint8Array.from(bytes).buffer), 0)

describe('numbers', () => {
  it.each([
    ['u8', u8, 0xfe, [0xfe]],
    ['u16', u16, 0x1234, [0x34, 0x12]],
    ['u32', u32, 0xfedc_ba98, [0x98, 0xba, 0xdc, 0xfe]],
    ['s32', s32, -2, [0xfe, 0xff, 0xff, 0xff]],
    ['u16be', u16be, 0x1234, [0x12, 0x34]],
    ['u32be', u32be, 0xfedc_ba98, [0xfe, 0xdc, 0xba, 0x98]],
  ] as const)('%s stand in their byte order', (_name, field, value, bytes) => {
    expect(bytesOf(field, value)).toEqual(bytes)
    expect(valueOf(field, ...bytes)).toBe(value)
    expect(field.fromJson(field.toJson(value))).toBe(value)
  })

  it.each([[u64, [8, 7, 6, 5, 4, 3, 2, 1]], [u64be, [1, 2, 3, 4, 5, 6, 7, 8]]] as const)('of 64 bits are hexadecimal text in JSON', (field, bytes) => {
    expect(bytesOf(field, 0x0102030405060708n)).toEqual(bytes)
    expect(valueOf(field, ...bytes)).toBe(0x0102030405060708n)
    expect(field.toJson(0x0102030405060708n)).toBe('0x102030405060708')
    expect(field.fromJson('0x102030405060708')).toBe(0x0102030405060708n)
  })

  it.each([[u8, 256], [u8, -1], [u8, 1.5], [u8, '1'], [u16, 65536], [s32, 0x8000_0000], [s32, -0x8000_0001], [u32be, undefined]] as const)(
    'refuse what they cannot hold: %#',
    (field, json) => expect(() => field.fromJson(json)).toThrow(refused),
  )

  it.each([[1], ['1'], ['0x'], ['0x10000000000000000'], ['0xg'], [undefined]])('of 64 bits refuse %s', (json) => {
    expect(() => u64.fromJson(json as Json)).toThrow(refused)
  })

  it('of 64 bits take zero', () => expect(u64.fromJson('0x0')).toBe(0n))
})

describe('bytes without a meaning', () => {
  it('are hexadecimal in JSON', () => {
    expect(valueOf(raw(3), 1, 0xab, 0xff)).toEqual(Uint8Array.of(1, 0xab, 0xff))
    expect(raw(3).toJson(Uint8Array.of(1, 0xab, 0xff))).toBe('01abff')
    expect(raw(3).fromJson('01ABff')).toEqual(Uint8Array.of(1, 0xab, 0xff))
    expect(bytesOf(raw(2), Uint8Array.of(1, 2))).toEqual([1, 2])
  })
  it.each([['01ab'], ['01abf'], ['01abfg'], [1], [undefined]])('refuse %s for three bytes', (json) => {
    expect(() => raw(3).fromJson(json as Json)).toThrow(refused)
  })
  it('have a fixed size', () => {
    expect(() => bytesOf(raw(2), Uint8Array.of(1))).toThrow(expect.objectContaining({ code: 'FMT_VALUE' }))
  })
})

describe('lists', () => {
  it('hold the same kind of value again and again', () => {
    expect(valueOf(list(2, u16), 1, 0, 2, 0)).toEqual([1, 2])
    expect(bytesOf(list(2, u16), [1, 2])).toEqual([1, 0, 2, 0])
    expect(list(2, u64).fromJson(list(2, u64).toJson([1n, 2n]))).toEqual([1n, 2n])
  })
  it('have a fixed length', () => {
    expect(() => bytesOf(list(2, u8), [1])).toThrow(expect.objectContaining({ code: 'FMT_VALUE' }))
    expect(() => list(2, u8).fromJson([1])).toThrow(refused)
    expect(() => list(2, u8).fromJson('ab')).toThrow(refused)
  })
})

describe('reserved places', () => {
  it('have no value, and stay as they are when a struct is written', () => {
    expect([valueOf(reserved(2), 1, 2), reserved(2).toJson(), reserved(2).fromJson(null)]).toEqual([undefined, null, undefined])
    expect(bytesOf(reserved(2), undefined)).toEqual([0, 0])
  })
})

describe('hexadecimal', () => {
  it('there and back', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 20_000 }), (bytes) => { expect(fromHex(toHex(bytes))).toEqual(bytes) }))
  })
  it('is not every text', () => expect([fromHex('0'), fromHex('0x'), fromHex(' 0')]).toEqual([undefined, undefined, undefined]))
})

describe('a declared layout', () => {
  const layout = struct(8, { kind: u8, rest: reserved(3), size: u32be })

  it('is read and written by its table', () => {
    const value: StructOf<typeof layout> = { kind: 1, size: 2 }
    expect([...writeStruct(layout, value)]).toEqual([1, 0, 0, 0, 0, 0, 0, 2])
    expect(readStruct(layout, Uint8Array.of(9, 1, 7, 7, 7, 0, 0, 0, 2), 1)).toEqual(value)
    expect(layout.fromJson(layout.toJson(value))).toEqual(value)
  })
  it('that does not add up cannot be loaded', () => {
    expect(() => struct(9, { kind: u8 })).toThrow('the fields add up to 1 bytes, the layout says 9')
  })
  it('names the field at fault', () => {
    expect(() => layout.fromJson({ kind: 1, size: 'x' })).toThrow(expect.objectContaining({ code: 'FMT_JSON', message: expect.stringMatching(/^size: /) as string }))
  })
  it('does not hide a fault of the program', () => {
    const broken: Field<number> = { ...u8, fromJson: () => { throw new TypeError('slip') } }
    expect(() => struct(1, { broken }).fromJson({ broken: 1 })).toThrow(TypeError)
  })
  it.each([[null], [undefined], [[]], ['x'], [1]])('does not come from %j', (json) => {
    expect(() => asObject(json as Json)).toThrow(refused)
  })
})
