/** Kinds of image by their outermost layer. */
export type ImageFormat = 'xl' | 'libxl' | 'libxc' | 'legacy'

const XL_MAGIC = 'Xen saved domain, xl format\n \0 \r'
const LIBXL_MAGIC = 'LibxlFmt'

/** The 32 bytes at the start of an `xl` file. Source: xl.h, SAVEFILE_MAGIC. */
export const xlMagic: Uint8Array = Uint8Array.from(XL_MAGIC, (c) => c.charCodeAt(0))
/** The 8 bytes at the start of a libxl stream. */
export const libxlMagic: Uint8Array = Uint8Array.from(LIBXL_MAGIC, (c) => c.charCodeAt(0))

/**
 * Tells an image by its first 8 bytes.
 *
 * A legacy stream begins with the guest's size in pages as an unsigned long, so its upper half is zero (64 bit), or
 * what follows is the PV marker, a small page count or a negative chunk type (32 bit).
 */
export function recognise(first: Uint8Array): ImageFormat | 'unknown' {
  if (first.length < 8) return 'unknown'
  if (first.every((byte) => byte === 0xff)) return 'libxc'
  if (startsWith(first, libxlMagic)) return 'libxl'
  if (startsWith(first, xlMagic.subarray(0, 8))) return 'xl'
  return isLegacy(first) ? 'legacy' : 'unknown'
}

const startsWith = (bytes: Uint8Array, magic: Uint8Array): boolean => magic.every((byte, i) => bytes[i] === byte)

/** Largest guest that a legacy stream can hold: its entries have 28 bits for the pfn. */
const LEGACY_PAGES_MAX = 1 << 28

function isLegacy(first: Uint8Array): boolean {
  const view = new DataView(first.buffer, first.byteOffset, 8)
  const pages = view.getUint32(0, true)
  const second = view.getInt32(4, true)
  return pages > 0 && pages <= LEGACY_PAGES_MAX && second >= -20 && second <= 1024
}
