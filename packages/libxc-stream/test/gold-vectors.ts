import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const at = (file: string): URL => new URL(`../../format/vectors/${file}`, import.meta.url)

/** The bytes of a vector of the package `format`, in memory of the caller's own. */
export const vector = (name: string): Uint8Array => new Uint8Array(gunzipSync(readFileSync(at(`${name}.bin.gz`))))

/** What Xen's own saver did while it wrote a `gold_` vector: offset in the stream, what happened. */
export const goldTrace = (name: string): readonly (readonly [offset: number, what: string])[] =>
  readFileSync(at(`${name}.trace.txt`), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => [Number(line.slice(0, 8)), line.slice(9)])
