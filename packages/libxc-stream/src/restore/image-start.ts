import { DOMAIN, domainHeaderCodec, guestKind, IMAGE, imageHeaderCodec, PAGE_SIZE, type DomainHeader } from '@xen-replication/format'
import { refused } from './restore-error.ts'
import type { StreamFeed } from './stream-feed.ts'

const IMAGE_HEADER_SIZE = 24
const DOMAIN_HEADER_SIZE = 16
const PAGE_SHIFT = Math.log2(PAGE_SIZE)

/** What the headers of a libxc image say. */
export interface ImageStart {
  readonly version: number
  readonly guest: 'pv' | 'hvm'
  /** A converter made the image from the legacy format. */
  readonly converted: boolean
}

/**
 * Reads both headers. What they hold in reserved places does not matter, as with Xen.
 *
 * @param kind of the domain to restore into.
 * @throws RestoreError XC_EMPTY, XC_HEADER_CUT, XC_MARKER, XC_ID, XC_VERSION, XC_BIG_ENDIAN, XC_DOMAIN_TYPE, XC_DOMAIN_MISMATCH, XC_PAGE_SHIFT
 */
export async function readImageStart(feed: StreamFeed, kind: 'pv' | 'hvm'): Promise<ImageStart> {
  const version = await readImageHeader(feed)
  const { offset } = feed
  const domain = domainHeaderCodec.decode(await feed.exact(DOMAIN_HEADER_SIZE, { code: 'XC_HEADER_CUT' }))
  const guest = guestKind(domain.type)
  if (guest === undefined) throw refused('XC_DOMAIN_TYPE', { offset }, `type ${domain.type}`)
  if (guest !== kind) throw refused('XC_DOMAIN_MISMATCH', { offset }, `the image is of ${nameOf(domain)}, the domain is ${kind === 'pv' ? 'PV' : 'HVM or PVH'}`)
  if (domain.pageShift !== PAGE_SHIFT) throw refused('XC_PAGE_SHIFT', { offset: offset + 4 }, `2^${domain.pageShift}`)
  return { version, guest, converted: domain.xenMajor === 0 }
}

async function readImageHeader(feed: StreamFeed): Promise<number> {
  const { offset } = feed
  const bytes = await feed.upTo(IMAGE_HEADER_SIZE)
  if (bytes.length < IMAGE_HEADER_SIZE) throw feed.ended({ code: offset + bytes.length === 0 ? 'XC_EMPTY' : 'XC_HEADER_CUT' })
  const { marker, id, version, options } = imageHeaderCodec.decode(bytes)
  if (marker !== IMAGE.marker) throw refused('XC_MARKER', { offset })
  if (id !== IMAGE.id) throw refused('XC_ID', { offset: offset + 8 })
  if (!IMAGE.versions.some((known) => known === version)) throw refused('XC_VERSION', { offset: offset + 12 }, String(version))
  if ((options & IMAGE.bigEndian) !== 0) throw refused('XC_BIG_ENDIAN', { offset: offset + 16 })
  return version
}

const nameOf = ({ type }: DomainHeader): string => (type === DOMAIN.PV ? 'a PV guest' : 'an HVM or PVH guest')
