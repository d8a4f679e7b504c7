import { ByteReader, sourceOfBytes } from '@xen-replication/format'
import { describe, expect, it } from 'vitest'
import { imageFromJson } from '../../src/json/build-image.ts'
import { describeImage } from '../../src/json/describe-image.ts'
import { vector, vectors } from '../vectors.ts'
import { asText, gathered } from './document.ts'

describe('decoding and encoding again gives the same bytes', () => {
  it.each(vectors.map(({ name }) => name))('%s', async (name) => {
    const bytes = vector(name)
    const text = await asText(describeImage(new ByteReader(sourceOfBytes(bytes))))
    expect(Buffer.compare(await gathered(imageFromJson([text])), bytes)).toBe(0)
  })
})
