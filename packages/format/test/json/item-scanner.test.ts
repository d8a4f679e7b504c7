import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from '../../src/bytes/field.ts'
import { ItemScanner, parseItem } from '../../src/json/item-scanner.ts'

function itemsOf(chunks: readonly string[], itemMax?: number): readonly Json[] {
  const scanner = new ItemScanner(itemMax)
  const items = chunks.flatMap((chunk) => [...scanner.push(chunk)].map(parseItem))
  scanner.end()
  return items
}

const frame = (items: string): string => `{"schema":"xr.decode/1","items":[${items}]}`

/** Cuts a text at these places, each modulo its length. */
function cutAt(text: string, places: readonly number[]): readonly string[] {
  const ends = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b)
  return [...ends, text.length].map((end, i) => text.slice(ends[i - 1] ?? 0, end))
}

describe('a document read in chunks', () => {
  const texts = fc.oneof(
    fc.string({ maxLength: 10 }),
    fc.constantFrom('\\', '"', '\\"', '[{,', '\\\\', '"items":[', 'A'.repeat(1024), '\\'.repeat(700), `"${'B'.repeat(1030)}`, `${'C'.repeat(1030)}"`, `"${'D'.repeat(1500)}\\`),
  )
  const items = fc.array(fc.record({ kind: texts, list: fc.array(fc.oneof(texts, fc.integer(), fc.constant(null), fc.boolean()), { maxLength: 4 }), more: fc.dictionary(fc.string({ minLength: 1 }), texts, { maxKeys: 2 }) }), { maxLength: 5 })

  it('gives its items wherever the cuts fall and however it is laid out', () => {
    fc.assert(
      fc.property(items, fc.array(fc.nat()), fc.constantFrom(undefined, 2, '\t'), fc.boolean(), (list, cuts, indent, itemsFirst) => {
        const about = { schema: 'xr.decode/1', other: { items: [1, [2]] }, list: ['"items":['] }
        const text = JSON.stringify(itemsFirst ? { items: list, ...about } : { ...about, items: list }, null, indent)
        expect(itemsOf(cutAt(text, cuts))).toEqual(JSON.parse(JSON.stringify(list)))
      }),
      { numRuns: 500 },
    )
  })

  it('may have no items at all', () => {
    expect(itemsOf([frame('')])).toEqual([])
    expect(itemsOf([` ${frame(' \n ')} \n`])).toEqual([])
  })
})

describe('a document that cannot be read', () => {
  const problem = (text: string, itemMax?: number) => expect(() => itemsOf([text], itemMax))

  it('because it is something else', () => {
    problem('Xen saved domain, xl format\n \0 \r').toThrow('this is no JSON document')
    problem('[{"items":[]}]').toThrow('this is no JSON document')
    problem('').toThrow(/the text around the items is no JSON: /)
    problem('{"schema":"xr.decode/1"}').toThrow('the document has no list "items"')
    problem('{"schema":"xr.show/1","items":[]}').toThrow('"schema": "xr.decode/1" wanted')
    problem('{"schema":"xr.decode/1","items":[]} tail').toThrow(/the text around the items is no JSON: /)
  })

  it('because it ends early', () => {
    problem('{"schema":"xr.decode/1","items":[{"a":1},{"b').toThrow('the document ends within item 1')
    problem('{"schema":"xr.decode/1","items":[{"a":1}]').toThrow(/the text around the items is no JSON: /)
  })

  it('because an item is broken', () => {
    problem(frame('{"a":1},,{}')).toThrow(/^this is no JSON: /)
    problem(frame('{"a":1},')).toThrow(/^this is no JSON: /)
    problem(frame('{"a":[1}]')).toThrow(/^this is no JSON: /)
  })

  it('because something in it is absurdly long', () => {
    problem(frame('"aaaaaaaaaa"'), 10).toThrow('item 0 is longer than 10 characters')
    problem(frame(`1,"${'a'.repeat(2000)}"`), 1000).toThrow('item 1 is longer than 1000 characters')
    problem(frame(`1,${'['.repeat(100_000)}`)).toThrow('item 1 is nested too deep')
    problem(`{"a":"${'a'.repeat(70_000)}","items":[]}`).toThrow('more than 65536 characters outside of "items"')
  })

  it('and {"": N}, which stands for long strings while an item is read, is no way to get at others', () => {
    const long = 'a'.repeat(2000)
    expect(itemsOf([frame(`{"a":"${long}","b":{"":5},"c":{"":"x"}}`)])).toEqual([{ a: long, b: null, c: null }])
  })
})
