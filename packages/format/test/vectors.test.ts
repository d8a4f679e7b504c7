import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { goldTrace, vector, vectors } from './vectors.ts'

it('every vector unpacks to the bytes that were judged', () => {
  expect(vectors).toHaveLength(137)
  const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
  expect(vectors.filter((info) => sha256(vector(info.name)) !== info.sha256)).toEqual([])
})

it('the saver’s traces are read', () => {
  expect(goldTrace('gold_xc_pv64_nonlive')).toEqual([
    [184, 'suspend'],
    [55656, 'return 0'],
  ])
})
