import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** A small stream and what is said about it. */
export interface VectorInfo {
  readonly name: string
  /** The outermost layer. */
  readonly format: 'libxc' | 'libxl' | 'xl'
  /** What the restorer was told; null where the stream says it itself. */
  readonly domain: 'pv' | 'hvm' | null
  readonly streamType: 'plain' | 'remus' | 'colo'
  /** The bytes follow the written specification. */
  readonly wellformed: boolean
  /** What Xen's restorer does in the end; an abort is a reject. */
  readonly xen: 'accept' | 'reject'
  /** What Xen's verify-stream-v2 says; a failing script is a reject. */
  readonly verifier: 'accept' | 'reject'
  readonly reason: string
  /** In bytes. */
  readonly size: number
  readonly sha256: string
}

const at = (file: string): URL => new URL(`../vectors/${file}`, import.meta.url)

/** Every vector but the legacy ones. */
export const vectors = JSON.parse(readFileSync(at('vectors.json'), 'utf8')) as readonly VectorInfo[]

/** The bytes of a vector, in memory of the caller's own. */
export const vector = (name: string): Uint8Array => new Uint8Array(gunzipSync(readFileSync(at(`${name}.bin.gz`))))

/** What Xen's own saver did while it wrote a `gold_` vector: offset in the stream, what happened. */
export const goldTrace = (name: string): readonly (readonly [offset: number, what: string])[] =>
  readFileSync(at(`${name}.trace.txt`), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => [Number(line.slice(0, 8)), line.slice(9)])
