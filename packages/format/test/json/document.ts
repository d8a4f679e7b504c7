import { ByteReader, describeImage, imageFromJson, sourceOfBytes, type BuildOptions, type DescribeOptions } from '@xen-replication/format'
import { expect } from 'vitest'

/** All pieces in one. */
async function gathered(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const copies: Uint8Array[] = []
  for await (const piece of pieces) copies.push(new Uint8Array(piece))
  return new Uint8Array(Buffer.concat(copies))
}

/** The document that an image becomes. */
export const decoded = async (bytes: Uint8Array, options?: DescribeOptions): Promise<string> =>
  Buffer.from(await gathered(describeImage(new ByteReader(sourceOfBytes(bytes)), options))).toString('ascii')

/** The image that a document becomes. */
export const encoded = (text: string | readonly string[], options?: BuildOptions): Promise<Uint8Array> =>
  gathered(imageFromJson(typeof text === 'string' ? [text] : text, options))

/** An item of a document as the tests look at it. */
export type LooseItem = Readonly<Record<string, unknown>>

export const itemsOf = (text: string): readonly LooseItem[] => (JSON.parse(text) as { items: LooseItem[] }).items

/** The document of some items. */
export const documentOf = (...items: readonly object[]): string => JSON.stringify({ schema: 'xr.decode/1', items })

export const expectSame = (a: Uint8Array, b: Uint8Array): void => expect(Buffer.compare(a, b)).toBe(0)

/** The front part of any libxc image of an HVM guest. */
export const libxcHead = Buffer.from('ffffffffffffffff58454e460000000300000000000000000200' + '00000c0000000400000017000000', 'hex')

/** A record of either stream: head, body, zero padding. */
export function recordBytes(type: number, body: Uint8Array, length = body.length): Uint8Array {
  const head = Buffer.alloc(8)
  head.writeUInt32LE(type)
  head.writeUInt32LE(length, 4)
  return Buffer.concat([head, body, Buffer.alloc((8 - (body.length % 8)) % 8)])
}

/** The front part of a PAGE_DATA body. */
export function entryBytes(entries: readonly bigint[], reserved = 0): Uint8Array {
  const bytes = Buffer.alloc(8 + 8 * entries.length)
  bytes.writeUInt32LE(entries.length)
  bytes.writeUInt32LE(reserved, 4)
  entries.forEach((entry, i) => bytes.writeBigUInt64LE(entry, 8 + 8 * i))
  return bytes
}
