import { describe, expect, it } from 'vitest'
import { u16, u32 } from '../../src/bytes/field.ts'
import { struct } from '../../src/bytes/struct.ts'
import { countedRows } from '../../src/frame/counted-rows.ts'
import { each } from '../../src/frame/each.ts'
import { rowsCodec } from '../../src/frame/rows.ts'
import { thereAndBack, words } from './there-and-back.ts'

const row = struct(4, each(u16, 'a', 'b'))
const tooShort = expect.objectContaining({ code: 'FMT_BODY_SIZE' }) as Error

describe('rows to the end of a body', () => {
  const codec = rowsCodec('ROWS', row, { min: 1, nameOf: ({ a }) => (a === 1 ? 'one' : undefined) })
  it('come in order, with a name for the reader where there is one', () => {
    expect(thereAndBack(codec, Uint8Array.of(1, 0, 2, 0, 3, 0, 4, 0))).toEqual([{ name: 'one', a: 1, b: 2 }, { a: 3, b: 4 }])
  })
  it('are refused when there is half a row, or fewer than there must be', () => {
    expect(() => codec.decode(new Uint8Array(6))).toThrow(tooShort)
    expect(() => codec.decode(new Uint8Array(0))).toThrow(/ROWS: 1 or more times 4 bytes wanted, 0 bytes found/)
    expect(rowsCodec('ROWS', row).decode(new Uint8Array(0))).toEqual([])
  })
  it('are not told apart when they are far more than Xen writes', () => {
    expect(codec.decode(new Uint8Array(4 << 16))).toHaveLength(1 << 16)
    expect(() => codec.decode(new Uint8Array(4 + (4 << 16)))).toThrow(expect.objectContaining({ code: 'FMT_BODY_TOO_LARGE' }))
  })
  it('need a list in JSON', () => {
    expect(() => codec.fromJson({})).toThrow(expect.objectContaining({ code: 'FMT_JSON' }))
  })
})

describe('rows with a count before them', () => {
  const codec = countedRows('COUNTED', struct(4, { x: u32 }), {})
  it('come without it: the count is theirs', () => {
    expect(thereAndBack(codec, words(2, 0, 7, 8))).toEqual([{ x: 7 }, { x: 8 }])
    expect(thereAndBack(codec, words(0, 0))).toEqual([])
  })
  it.each([
    ['no room for a count', words(0)],
    ['a count of more than there is', words(0xffffffff, 0, 1)],
    ['a count of less', words(0, 0, 1)],
  ])('are refused with %s', (_, bytes) => {
    expect(() => codec.decode(bytes)).toThrow(tooShort)
  })
})
