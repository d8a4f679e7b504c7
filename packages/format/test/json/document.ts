import { ByteReader, sourceOfBytes } from '@xen-replication/format'
import { imageFromJson, type BuildOptions } from '../../src/json/build-image.ts'
import { describeImage, type DescribeOptions } from '../../src/json/describe-image.ts'

/** All pieces in one. */
export async function gathered(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const copies: Uint8Array[] = []
  for await (const piece of pieces) copies.push(piece.slice())
  return new Uint8Array(Buffer.concat(copies))
}

export const asText = async (pieces: AsyncIterable<Uint8Array>): Promise<string> => Buffer.from(await gathered(pieces)).toString('ascii')

/** The document that an image becomes. */
export const decoded = (bytes: Uint8Array, options?: DescribeOptions): Promise<string> =>
  asText(describeImage(new ByteReader(sourceOfBytes(bytes)), options))

/** The image that a document becomes. */
export const encoded = (text: string | readonly string[], options?: BuildOptions): Promise<Uint8Array> =>
  gathered(imageFromJson(typeof text === 'string' ? [text] : text, options))
