import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from '../../../src/bytes/field.ts'
import { treeDiff } from '../../../src/transform/diff/tree-diff.ts'

const diff = (a: Json | undefined, b: Json | undefined) => [...treeDiff(a, b)]

describe('differences of two JSON values', () => {
  it('are none between equal ones, and some between others', () =>
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const left = JSON.parse(JSON.stringify(a)) as Json
        const right = JSON.parse(JSON.stringify(b)) as Json
        expect(diff(left, JSON.parse(JSON.stringify(left)) as Json)).toEqual([])
        expect(diff(left, right).length === 0).toBe(JSON.stringify(sorted(left)) === JSON.stringify(sorted(right)))
      }),
    ))

  it('name the place and what is there on each side', () => {
    const a = { same: 1, name: 'a', list: [1, 2, { x: true }], gone: null }
    const b = { same: 1, name: 'b', list: [1, 3, { x: true }, 4], constructor: 'new' }
    expect(diff(a, b)).toEqual([
      { path: 'name', a: 'a', b: 'b' },
      { path: 'list[1]', a: 2, b: 3 },
      { path: 'list[3]', a: undefined, b: 4 },
      { path: 'gone', a: null, b: undefined },
      { path: 'constructor', a: undefined, b: 'new' },
    ])
  })

  it('are told of values of different kinds, and of nothing', () => {
    expect(diff({ a: 1 }, [1])).toEqual([{ path: '', a: { a: 1 }, b: [1] }])
    expect(diff(undefined, 'x')).toEqual([{ path: '', a: undefined, b: 'x' }])
    expect(diff(null, {})).toHaveLength(1)
  })

  it('are shown shortened where they are long', () => {
    const long = 'x'.repeat(1000)
    expect(diff({ a: long }, { a: [long] })).toEqual([{ path: 'a', a: `${'x'.repeat(96)}… (1000 characters)`, b: `["${'x'.repeat(94)}… (1004 characters)` }])
  })

  it('are found in values that are nested as no image has them', () => {
    const nested = (inmost: Json): Json => Array.from({ length: 300 }).reduce<Json>((inner) => [inner], inmost)
    expect(diff(nested(1), nested(1))).toEqual([])
    expect(diff(nested(1), nested(2))).toHaveLength(1)
  })
})

function sorted(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, part]) => [key, sorted(part)]))
}
