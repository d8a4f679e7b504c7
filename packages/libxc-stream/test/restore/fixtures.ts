import { createReadStream, readFileSync } from 'node:fs'
import { createBrotliDecompress } from 'node:zlib'

/** A small stream of the package `format`, and what is said about it there. */
export interface VectorInfo {
  readonly name: string
  readonly format: 'libxc' | 'libxl' | 'xl'
  readonly domain: 'pv' | 'hvm' | null
  readonly streamType: 'plain' | 'remus' | 'colo'
  readonly xen: 'accept' | 'reject'
  readonly reason: string
}

const at = (path: string): URL => new URL(`../../../format/${path}`, import.meta.url)

export const vectors = JSON.parse(readFileSync(at('vectors/vectors.json'), 'utf8')) as readonly VectorInfo[]

/** A stream captured from a real Xen; the contents of ordinary pages are zero. */
export const corpusStream = (name: string): AsyncIterable<Uint8Array> =>
  createReadStream(at(`corpus/${name}.skel.br`)).pipe(createBrotliDecompress({ chunkSize: 1 << 18 }))
