import * as zlib from 'node:zlib'

/** A way to make batches smaller, under a name that both sides know. */
export interface Compressor {
  readonly name: string
  compress(bytes: Uint8Array): Promise<Uint8Array> | Uint8Array
  /** @throws anything when the bytes are damaged or would become more than `maxBytes`; it takes no more memory than that. */
  decompress(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> | Uint8Array
}

/** What the user asks for; other names are those of compressors that were injected. */
export type CompressionChoice = 'auto' | 'none' | 'zstd' | 'lz4' | (string & {})

/** The part of node:zlib that newer versions of Node have. */
interface Zstd {
  readonly constants: Readonly<Record<string, number>>
  readonly zstdCompress?: (bytes: Uint8Array, options: object, done: (error: Error | null, out: Uint8Array) => void) => void
  readonly zstdDecompress?: (bytes: Uint8Array, options: object, done: (error: Error | null, out: Uint8Array) => void) => void
}

/** Fast enough for a wire. */
const ZSTD_LEVEL = 1

/** What this Node brings along: zstd from 22.15 and 23.8 on. @param node node:zlib, or what stands for it. */
export function nodeCompressors(node: Zstd = zlib): readonly Compressor[] {
  const { zstdCompress, zstdDecompress, constants } = node
  if (zstdCompress === undefined || zstdDecompress === undefined) return []
  const options = { params: { [constants['ZSTD_c_compressionLevel'] as number]: ZSTD_LEVEL } }
  return [
    {
      name: 'zstd',
      compress: (bytes) => called((done) => zstdCompress(bytes, options, done)),
      decompress: (bytes, maxBytes) => called((done) => zstdDecompress(bytes, { maxOutputLength: maxBytes }, done)),
    },
  ]
}

function called(work: (done: (error: Error | null, out: Uint8Array) => void) => void): Promise<Uint8Array> {
  return new Promise((resolve, reject) => work((error, out) => (error === null ? resolve(out) : reject(error))))
}
