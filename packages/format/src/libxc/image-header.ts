import { reserved, u16be, u32be, u64be } from '../bytes/field.ts'
import { struct, type StructOf } from '../bytes/struct.ts'
import { structCodec } from '../frame/codec.ts'

/** The 24 bytes at the start of a libxc image; big-endian whatever the machine. Source: libxc-migration-stream, "Image Header". */
export const imageHeader = struct(24, { marker: u64be, id: u32be, version: u32be, options: u16be, _res1: reserved(2), _res2: reserved(4) })
export type ImageHeader = StructOf<typeof imageHeader>

export const imageHeaderCodec = structCodec('image header', imageHeader)

/** What a good image header holds. `versions` are those that Xen's restorer reads; its saver writes 3. */
export const IMAGE = { marker: 0xffff_ffff_ffff_ffffn, id: 0x58454e46, versions: [2, 3], bigEndian: 1 } as const
