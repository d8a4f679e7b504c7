import { LIBXL, libxlHeaderCodec } from '@xen-replication/format'
import { refused, type StreamFeed } from '@xen-replication/libxc-stream'

const HEADER_SIZE = 16

/**
 * Reads the header of a libxl stream. Whether a converter made it from the legacy format, and reserved bits, do not matter.
 *
 * @throws RestoreError XL2_HEADER_CUT, XL2_IDENT, XL2_VERSION, XL2_BIG_ENDIAN
 */
export async function readStreamStart(feed: StreamFeed): Promise<void> {
  const { offset } = feed
  const { ident, version, options } = libxlHeaderCodec.decode(await feed.exact(HEADER_SIZE, { code: 'XL2_HEADER_CUT' }))
  if (ident !== LIBXL.ident) throw refused('XL2_IDENT', { offset })
  if (version !== LIBXL.version) throw refused('XL2_VERSION', { offset: offset + 8 }, String(version))
  if ((options & LIBXL.bigEndian) !== 0) throw refused('XL2_BIG_ENDIAN', { offset: offset + 12 })
}
