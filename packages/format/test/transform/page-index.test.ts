import { describe, expect, it } from 'vitest'
import { pageDataOf, type PageData } from '../../src/libxc/page-data.ts'
import { PageIndex } from '../../src/transform/page-index.ts'
import { entryWords, type Entry } from '../rules/image-builder.ts'

const pagesOf = (...entries: readonly Entry[]): PageData => pageDataOf(entries.length, 0, new Uint32Array(entryWords(entries).buffer))

describe('the last version of every page', () => {
  it('is where its content came last', () => {
    const index = new PageIndex()
    index.note(pagesOf([1, 0], [2, 0xf], [3, 9]), 100, 'copy')
    index.note(pagesOf([1, 0xf], [3, 0]), 50_000, 'copy')
    expect([...index.versions()]).toEqual([
      { pfn: 1, type: 0xf, held: 0, at: 100 },
      { pfn: 2, type: 0xf, held: 0xf, at: 0 },
      { pfn: 3, type: 0, held: 0, at: 50_000 },
    ])
    expect([...index.contents()].map(({ pfn }) => pfn)).toEqual([1, 3])
    expect(index.size).toBe(3)
    expect(index.get(3)).toMatchObject({ at: 50_000 })
    expect(index.get(4)).toBeUndefined()
  })

  it('is a zero page for what came to be compared only', () => {
    const index = new PageIndex()
    index.note(pagesOf([1, 0]), 100, 'copy')
    index.note(pagesOf([1, 1], [2, 0]), 9000, 'verify')
    expect([...index.versions()]).toEqual([
      { pfn: 1, type: 1, held: 1, at: 100 },
      { pfn: 2, type: 0, held: 0, at: 0 },
    ])
  })

  it('has memory without content when it was only given some', () => {
    const index = new PageIndex()
    index.note(pagesOf([1, 0xe], [2, 0xd], [3, 0xe]), 0, 'copy')
    index.note(pagesOf([3, 0xf]), 0, 'copy')
    expect([...index.versions()]).toEqual([
      { pfn: 1, type: 0xe, held: 0xe, at: 0 },
      { pfn: 2, type: 0xd, held: 0xf, at: 0 },
      { pfn: 3, type: 0xf, held: 0xe, at: 0 },
    ])
  })
})
