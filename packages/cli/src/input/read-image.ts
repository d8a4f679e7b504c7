import { ByteReader, createVerifier, walk, type Summariser, type Verification, type VerifyOptions } from '@xen-replication/format'
import { crc32 } from 'node:zlib'
import type { VerbContext } from '../commands/command.ts'
import type { OpenImage } from './open-image.ts'

/** What became known of an image by reading it once. */
export interface ImageReading {
  readonly verification: Verification
  /** Stands behind the image's last byte. */
  readonly reader: ByteReader
  readonly seconds: number
}

/**
 * Reads an image to its end and judges it on the way.
 *
 * @param summary is fed from the same walk.
 */
export async function readImage(
  { progress, now }: Pick<VerbContext, 'progress' | 'now'>,
  image: OpenImage,
  options: VerifyOptions,
  summary?: Summariser,
): Promise<ImageReading> {
  const began = now()
  const reader = new ByteReader(image.source)
  const verifier = createVerifier({ digest: (bytes) => crc32(bytes), ...(image.reread && { reread: image.reread }), ...options })
  const task = progress.begin(image.path, image.size)
  try {
    for await (const item of walk(reader, { format: options.format ?? 'auto' })) {
      await summary?.item(item)
      await verifier.item(item)
      task.at(reader.offset)
    }
  } finally {
    task.end()
  }
  return { verification: verifier.finish(), reader, seconds: (now() - began) / 1000 }
}
