import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { corpus, corpusBack, corpusStream } from './corpus.ts'

const smallest = corpus.reduce((a, b) => (a.size < b.size ? a : b))

it('a captured stream unpacks to its skeleton', async () => {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of corpusStream(smallest.name)) {
    hash.update(chunk)
    size += chunk.length
  }
  expect({ size, sha256: hash.digest('hex') }).toEqual({ size: smallest.size, sha256: smallest.sha256 })
})

it('what a receiver sent is the banner, and for a plain migration the two messages', () => {
  expect(corpus.flatMap(({ back }) => (back === null ? [] : [corpusBack(back).length]))).toEqual([128, 54, 128, 54])
})
