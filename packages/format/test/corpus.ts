import { createReadStream, readFileSync } from 'node:fs'
import { createBrotliDecompress } from 'node:zlib'

/** A stream captured from a real Xen, kept as a skeleton: the contents of ordinary pages are zero, all else is as captured. */
export interface CorpusInfo {
  readonly name: string
  /** File of what the receiver sent, if it sent anything. */
  readonly back: string | null
  /** Size and hash of the unpacked skeleton, in bytes. */
  readonly size: number
  readonly sha256: string
  /** Records of both layers. */
  readonly records: number
  readonly libxc: number
  readonly libxl: number
  /** libxc CHECKPOINT records. */
  readonly checkpoints: number
  /** Entries of all PAGE_DATA records, and those with contents. */
  readonly pages: number
  readonly contents: number
  /** How the walk stops, whether within a checkpoint, and bytes from there to the end of the file. */
  readonly end: 'end' | 'eof' | 'cut' | 'lost'
  readonly inCheckpoint: boolean
  readonly trailing: number
}

const at = (file: string): URL => new URL(`../corpus/${file}`, import.meta.url)

export const corpus = JSON.parse(readFileSync(at('index.json'), 'utf8')) as readonly CorpusInfo[]

/** The bytes of a captured stream in chunks; up to 165 MB, so read it as it comes. */
export const corpusStream = (name: string): AsyncIterable<Uint8Array> =>
  createReadStream(at(`${name}.skel.br`)).pipe(createBrotliDecompress({ chunkSize: 1 << 18 }))

/** What the receiver of a captured stream sent. */
export const corpusBack = (back: string): Uint8Array => new Uint8Array(readFileSync(at(back)))
