import { createHash } from 'node:crypto'
import { ByteReader, describeImage, imageFromJson, sourceOfChunks } from '@xen-replication/format'
import { describe, expect, it } from 'vitest'
import { corpus, corpusStream } from '../corpus.ts'

async function* textOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  for await (const piece of pieces) yield Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('latin1')
}

describe('a captured stream is the same after decoding and encoding', () => {
  it.each(corpus)('$name', { timeout: 60_000 }, async ({ name, sha256 }) => {
    const hash = createHash('sha256')
    for await (const piece of imageFromJson(textOf(describeImage(new ByteReader(sourceOfChunks(corpusStream(name))))))) hash.update(piece)
    expect(hash.digest('hex')).toBe(sha256)
  })
})
