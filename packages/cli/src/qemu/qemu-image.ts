import { ByteReader, isQemuStream, QEMU_FIRST_BYTES, type ByteSource } from '@xen-replication/format'
import { formatOf } from '../input/image-options.ts'
import type { OptionValues } from '../commands/command.ts'
import type { OpenImage } from '../input/open-image.ts'

/** The image, which is to be read in place of the one given, and whether it is what a QEMU said. */
export interface Looked {
  readonly image: OpenImage
  readonly isQemu: boolean
}

/** Looks at the first bytes, or at what the user says. A pipe gives the bytes that were looked at once more. */
export async function lookForQemu(image: OpenImage, options: OptionValues): Promise<Looked> {
  const format = formatOf(options)
  if (format !== 'auto') return { image, isQemu: format === 'qemu' }
  if (image.reread !== undefined) return { image, isQemu: isQemuStream(await image.reread(0, QEMU_FIRST_BYTES)) }
  const peeked = await new ByteReader(image.source).upTo(QEMU_FIRST_BYTES)
  const first = new Uint8Array(peeked)
  return { image: { ...image, source: behind(first, image.source) }, isQemu: isQemuStream(first) }
}

/** A source that begins with bytes that were read from it before. */
function behind(first: Uint8Array, source: ByteSource): ByteSource {
  let rest = first
  return {
    read: (max) => {
      if (rest.length === 0) return source.read(max)
      const bytes = rest.subarray(0, max)
      rest = rest.subarray(bytes.length)
      return bytes
    },
  }
}
