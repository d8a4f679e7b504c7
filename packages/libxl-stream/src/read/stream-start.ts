import { LIBXL, libxlHeaderCodec } from '@xen-replication/format'
import { refused, type StreamFeed } from '@xen-replication/libxc-stream'

const HEADER_SIZE = 16

/**
 * Reads the header of a libxl stream.
 *
 * @returns whether a converter made the stream from the legacy format.
 * @throws RestoreError XL2_HEADER_CUT, XL2_IDENT, XL2_VERSION, XL2_BIG_ENDIAN
 */
export async function readStreamStart(feed: StreamFeed): Promise<boolean> {
  const { offset } = feed
  const { ident, version, options } = libxlHeaderCodec.decode(await feed.exact(HEADER_SIZE, { code: 'XL2_HEADER_CUT' }))
  if (ident !== LIBXL.ident) throw refused('XL2_IDENT', { offset })
  if (version !== LIBXL.version) throw refused('XL2_VERSION', { offset: offset + 8 }, String(version))
  if ((options & LIBXL.bigEndian) !== 0) throw refused('XL2_BIG_ENDIAN', { offset: offset + 12 })
  return (options & LIBXL.convertedFromLegacy) !== 0
}
