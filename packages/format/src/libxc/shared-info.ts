import type { Json } from '../bytes/field.ts'
import { PAGE_SIZE } from '../bytes/limits.ts'
import { asObject, readStruct, writeStruct } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'
import { bodySizeError } from '../frame/codec.ts'
import { recordCodec } from '../frame/record.ts'
import { XC } from './record-types.ts'
import { sharedInfo32, sharedInfo64, type SharedInfo32, type SharedInfo64 } from './shared-info-layout.ts'

/** The shared page; the layout follows the guest's width, which the record does not tell. */
export type SharedInfo =
  | { readonly layout: 'x86_64'; readonly info: SharedInfo64 }
  | { readonly layout: 'x86_32'; readonly info: SharedInfo32 }

/** Where the 32-bit layout has clock and p2m, and where it ends, in bytes. */
const CLOCK_32 = 2304
const END_32 = 2344

/** Reads the page in the layout given. @throws FormatError FMT_BODY_SIZE when it is not a page. */
export function readSharedInfo(layout: SharedInfo['layout'], page: Uint8Array): SharedInfo {
  if (page.length !== PAGE_SIZE) throw bodySizeError('SHARED_INFO', '4096 bytes', page.length)
  return layout === 'x86_64' ? { layout, info: readStruct(sharedInfo64, page) } : { layout, info: readStruct(sharedInfo32, page) }
}

/** Xen keeps the clock running in every guest's page, so a page whose clock and end are where 32 bits have them is of a 32-bit guest. */
function layoutOf(page: Uint8Array): SharedInfo['layout'] {
  const used = (from: number, to?: number): boolean => page.subarray(from, to).some((byte) => byte !== 0)
  return used(CLOCK_32, END_32) && !used(END_32) ? 'x86_32' : 'x86_64'
}

/** `decode()` tells the layout by what is on the page; no byte is lost in either. Who knows the guest's width takes `readSharedInfo()`. */
export const sharedInfo = recordCodec<SharedInfo>(XC.SHARED_INFO, 'SHARED_INFO', 'libxc-migration-stream, "SHARED_INFO"', {
  decode: (page) => readSharedInfo(layoutOf(page), page),
  encode: (value) => (value.layout === 'x86_64' ? writeStruct(sharedInfo64, value.info) : writeStruct(sharedInfo32, value.info)),
  toJson: (value) => ({
    layout: value.layout,
    info: value.layout === 'x86_64' ? sharedInfo64.toJson(value.info) : sharedInfo32.toJson(value.info),
  }),
  fromJson,
})

function fromJson(json: Json | undefined): SharedInfo {
  const { layout, info } = asObject(json)
  if (layout === 'x86_64') return { layout, info: sharedInfo64.fromJson(info) }
  if (layout === 'x86_32') return { layout, info: sharedInfo32.fromJson(info) }
  throw new FormatError('FMT_JSON', 'the layout "x86_64" or "x86_32" wanted')
}
