import { createReadStream, readFileSync } from 'node:fs'
import { createBrotliDecompress, gunzipSync } from 'node:zlib'

/** A small stream of the package `format`, and what is said about it there. */
export interface VectorInfo {
  readonly name: string
  readonly format: 'libxc' | 'libxl' | 'xl'
  readonly streamType: 'plain' | 'remus' | 'colo'
  readonly xen: 'accept' | 'reject'
  readonly reason: string
}

/** What is said of a captured stream. */
export interface CorpusInfo {
  readonly name: string
  readonly checkpoints: number
}

const at = (path: string): URL => new URL(`../../format/${path}`, import.meta.url)
const list = <T>(path: string): readonly T[] => JSON.parse(readFileSync(at(path), 'utf8')) as readonly T[]

export const vectors = list<VectorInfo>('vectors/vectors.json').filter(({ format }) => format === 'libxl')
export const vector = (name: string): Uint8Array => new Uint8Array(gunzipSync(readFileSync(at(`vectors/${name}.bin.gz`))))

export const corpus = list<CorpusInfo>('corpus/index.json')
export const corpusStream = (name: string): AsyncIterable<Uint8Array> =>
  createReadStream(at(`corpus/${name}.skel.br`)).pipe(createBrotliDecompress({ chunkSize: 1 << 18 }))
