import { detectLegacy } from '../legacy/detect.ts'

/** Kinds of image by their outermost layer. */
export type ImageFormat = 'xl' | 'libxl' | 'libxc' | 'legacy'

const XL_MAGIC = 'Xen saved domain, xl format\n \0 \r'
const LIBXL_MAGIC = 'LibxlFmt'

/** The 32 bytes at the start of an `xl` file. Source: xl.h, SAVEFILE_MAGIC. */
export const xlMagic: Uint8Array = Uint8Array.from(XL_MAGIC, (c) => c.charCodeAt(0))
/** The 8 bytes at the start of a libxl stream. */
export const libxlMagic: Uint8Array = Uint8Array.from(LIBXL_MAGIC, (c) => c.charCodeAt(0))

/** First bytes that `recognise()` looks at. */
export const FIRST_BYTES = 16

/**
 * Tells an image by its first bytes. Legacy streams have no magic: what could be one is taken for one.
 *
 * @param first up to 16 bytes. With less than 8 nothing is told, with less than 16 more is taken for legacy.
 */
export function recognise(first: Uint8Array): ImageFormat | 'unknown' {
  if (first.length < 8) return 'unknown'
  if (first.subarray(0, 8).every((byte) => byte === 0xff)) return 'libxc'
  if (startsWith(first, libxlMagic)) return 'libxl'
  if (startsWith(first, xlMagic.subarray(0, 8))) return 'xl'
  return isLegacy(first) ? 'legacy' : 'unknown'
}

const startsWith = (bytes: Uint8Array, magic: Uint8Array): boolean => magic.every((byte, i) => bytes[i] === byte)

/** Largest guest that a legacy stream can hold: its entries have 28 bits for the pfn. */
const LEGACY_PAGES_MAX = 1 << 28

/** Of gzip: with an empty time it would do as the size of a guest. Magics of four bytes, as those of xz, zstd, bzip2 and lz4, are too large for one. */
const gzipMagic = Uint8Array.of(0x1f, 0x8b)

/** A legacy stream begins with the guest's size in pages as an unsigned long; then comes the marker of a PV guest, or the first chunk of an HVM guest. */
function isLegacy(first: Uint8Array): boolean {
  const pages = new DataView(first.buffer, first.byteOffset, 4).getUint32(0, true)
  if (pages === 0 || pages > LEGACY_PAGES_MAX || startsWith(first, gzipMagic)) return false
  const { guest, width } = detectLegacy(first)
  return guest !== undefined || (width === 64 && first.length < FIRST_BYTES)
}
