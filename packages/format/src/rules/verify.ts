import type { ByteReader } from '../bytes/byte-reader.ts'
import { walk } from '../image/walk.ts'
import type { Verification, VerifyOptions } from './finding.ts'
import { createVerifier } from './verifier.ts'

/**
 * Judges a whole image, from the reader's place to its end; what follows the end is not touched.
 *
 * @returns all findings and the three verdicts. A legacy payload is not judged here, see `checkLegacy()`.
 */
export async function verify(reader: ByteReader, options: VerifyOptions = {}): Promise<Verification> {
  const verifier = createVerifier(options)
  for await (const item of walk(reader, { format: options.format ?? 'auto' })) {
    await verifier.item(item)
    options.onProgress?.(reader.offset)
  }
  return verifier.finish()
}
