import { describe, expect, it } from 'vitest'
import { PageBytes, PagePool } from '../../src/json/page-bytes.ts'
import { documentOf, encoded, entryBytes, expectSame, recordBytes } from './document.ts'

const contents = Uint8Array.from({ length: 4096 }, (_, i) => i * 7)
const text = Buffer.from(contents).toString('base64')

describe('a page in a document', () => {
  it('is the same bytes beside another of the same item', async () => {
    const other = Buffer.alloc(4096, 9)
    const item = { kind: 'record', layer: 'libxc', type: 1, entries: ['0x7..0x8:NOTAB'], pages: [text, other.toString('base64')] }
    const body = Buffer.concat([entryBytes([7n, 8n]), contents, other])
    expectSame(await encoded(documentOf(item, item)), Buffer.concat([recordBytes(1, body), recordBytes(1, body)]))
  })

  it('is plain bytes where its text is the base64 of other bytes', async () => {
    expectSame(await encoded(documentOf({ kind: 'trailing', base64: text })), contents)
  })

  it('is refused with its number when it is no base64', async () => {
    const item = { kind: 'record', layer: 'libxc', type: 1, entries: ['0x7:NOTAB'], pages: [`*${text.slice(1)}`] }
    await expect(encoded(documentOf(item))).rejects.toMatchObject({ code: 'FMT_JSON', message: expect.stringContaining('page 0: 4096 bytes in base64') as string })
  })
})

describe('pages taken from their texts', () => {
  it('are those of the right length with the right end', () => {
    const pool = new PagePool()
    expect(pool.take(text)?.bytes).toEqual(contents)
    expect([pool.take(text.slice(4)), pool.take(`${text.slice(0, -2)}AA`), pool.take(`*${text.slice(1)}`)]).toEqual([undefined, undefined, undefined])
  })

  it('use the same memory for the next item', () => {
    const pool = new PagePool()
    const first = pool.take(text)?.bytes
    pool.clear()
    expect(pool.take(text)?.bytes).toBe(first)
  })

  it('are their texts in JSON', () => expect(JSON.stringify([new PageBytes(contents)])).toBe(`["${text}"]`))
})
