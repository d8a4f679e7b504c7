import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfBytes } from '../../src/bytes/byte-source.ts'
import { recordDetail } from '../../src/image/record-detail.ts'
import { createSummary, type Summary } from '../../src/image/summary.ts'
import { walk, type WalkOptions } from '../../src/image/walk.ts'
import { build, type Layout } from '../rules/image-builder.ts'

/** The summary of bytes, or of a stream put together. */
export async function summarise(of: Uint8Array | Layout, options: WalkOptions = {}): Promise<Summary> {
  const summariser = createSummary()
  for await (const item of walk(new ByteReader(sourceOfBytes(bytesOf(of))), options)) await summariser.item(item)
  return summariser.finish()
}

/** What is said of each record, by its name. */
export async function details(of: Uint8Array | Layout): Promise<readonly (readonly [name: string | undefined, detail: string])[]> {
  const said: (readonly [string | undefined, string])[] = []
  for await (const item of walk(new ByteReader(sourceOfBytes(bytesOf(of))))) {
    if (item.kind === 'record') said.push([item.name, await recordDetail(item)])
  }
  return said
}

const bytesOf = (of: Uint8Array | Layout): Uint8Array => (of instanceof Uint8Array ? of : build(of).bytes)
