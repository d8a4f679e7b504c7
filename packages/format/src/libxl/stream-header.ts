import { u32be, u64be } from '../bytes/field.ts'
import { struct, type StructOf } from '../bytes/struct.ts'
import { structCodec } from '../frame/codec.ts'

/** The 16 bytes at the start of a libxl stream; big-endian whatever the machine. Source: libxl-migration-stream, "Stream Header". */
export const libxlHeader = struct(16, { ident: u64be, version: u32be, options: u32be })
export type LibxlHeader = StructOf<typeof libxlHeader>

export const libxlHeaderCodec = structCodec('libxl stream header', libxlHeader)

/** What a good header holds; `options` is made of the two bits, and zero when Xen's writer wrote it. */
export const LIBXL = { ident: 0x4c6962786c466d74n, version: 2, bigEndian: 1, convertedFromLegacy: 2 } as const
