import { viewOf } from '../bytes/struct.ts'
import type { HeaderItem } from '../image/item.ts'
import { libxlMagic } from '../image/recognise.ts'
import type { VerifyOptions } from './finding.ts'
import type { Report } from './findings.ts'
import type { ImageState } from './state.ts'

export function checkLibxlHeader({ bytes, offset }: HeaderItem, report: Report): void {
  const view = viewOf(bytes)
  const options = view.getUint32(12)
  if (!libxlMagic.every((byte, i) => bytes[i] === byte)) report('XL2_IDENT')
  if (view.getUint32(8) !== 2) report('XL2_VERSION', String(view.getUint32(8)), offset + 8)
  if ((options & 1) !== 0) report('XL2_BIG_ENDIAN', undefined, offset + 12)
  if ((options & 0xfffc) !== 0) report('XL2_OPTION_BITS', `0x${options.toString(16)}`, offset + 12)
  if (options >>> 16 !== 0) report('XL2_OPTION_BITS_HIGH', `0x${options.toString(16)}`, offset + 12)
}

export function checkImageHeader({ bytes, offset }: HeaderItem, image: ImageState, report: Report): void {
  const view = viewOf(bytes)
  const options = view.getUint16(16)
  if (view.getBigUint64(0) !== 0xffff_ffff_ffff_ffffn) report('XC_MARKER')
  if (view.getUint32(8) !== 0x58454e46) report('XC_ID', undefined, offset + 8)
  image.version = view.getUint32(12)
  if (image.version !== 2 && image.version !== 3) report('XC_VERSION', String(image.version), offset + 12)
  if ((options & 1) !== 0) report('XC_BIG_ENDIAN', undefined, offset + 16)
  if ((options & 0xfffe) !== 0) report('XC_OPTION_BITS', `0x${options.toString(16)}`, offset + 16)
  if (view.getUint16(18) !== 0 || view.getUint32(20) !== 0) report('XC_IMAGE_RESERVED', undefined, offset + 18)
}

const guests = ['unknown', 'pv', 'hvm'] as const

export function checkDomainHeader({ bytes, offset }: HeaderItem, domain: VerifyOptions['domain'], image: ImageState, report: Report): void {
  const view = viewOf(bytes)
  const type = view.getUint32(0, true)
  image.guest = guests[type] ?? 'unknown'
  if (image.guest === 'unknown') report('XC_DOMAIN_TYPE', String(type))
  else if (domain !== undefined && domain !== image.guest) report('XC_DOMAIN_MISMATCH', `${image.guest} image, ${domain} domain`)
  const shift = view.getUint16(4, true)
  if (shift !== 12) report(shift % 32 === 12 ? 'XC_PAGE_SHIFT_WRAPS' : 'XC_PAGE_SHIFT', `page shift ${shift}`, offset + 4)
  if (view.getUint16(6, true) !== 0) report('XC_DOMAIN_RESERVED', undefined, offset + 6)
}
