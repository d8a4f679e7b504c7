import { readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { ByteReader } from '../src/bytes/byte-reader.ts'
import { sourceOfBytes } from '../src/bytes/byte-source.ts'
import { walk } from '../src/image/walk.ts'

/** An image to make others from. */
export interface Seed {
  readonly name: string
  readonly bytes: Uint8Array
  /** Offsets of headers and record heads. */
  readonly heads: readonly number[]
  /** Offsets worth damaging: words of headers, of heads, and of the first bytes of bodies. */
  readonly spots: readonly number[]
}

/** Larger vectors hold more pages, not more kinds of record. */
const SIZE_MAX = 60_000
const FRONT_WORDS = 6

const vectors = new URL('../vectors/', import.meta.url)

async function seedOf(name: string, bytes: Uint8Array): Promise<Seed> {
  const heads: number[] = []
  for await (const item of walk(new ByteReader(sourceOfBytes(bytes)))) if (item.kind !== 'padding') heads.push(item.offset)
  const spots = heads.flatMap((head) => Array.from({ length: FRONT_WORDS }, (_, i) => head + 4 * i))
  return { name, bytes, heads, spots }
}

/** The vectors of the package, current and legacy, shortest first. */
export async function loadSeeds(): Promise<readonly Seed[]> {
  const seeds: Seed[] = []
  for (const folder of ['', 'legacy/']) {
    for (const file of readdirSync(new URL(folder, vectors)).filter((name) => name.endsWith('.bin.gz'))) {
      const bytes = new Uint8Array(gunzipSync(readFileSync(new URL(folder + file, vectors))))
      if (bytes.length <= SIZE_MAX) seeds.push(await seedOf(folder + file.replace('.bin.gz', ''), bytes))
    }
  }
  return seeds.sort((a, b) => a.bytes.length - b.bytes.length)
}
