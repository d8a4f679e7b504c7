import { raw, u32 } from '../bytes/field.ts'
import { struct, type StructOf } from '../bytes/struct.ts'
import { structCodec } from '../frame/codec.ts'
import { xlMagic } from '../image/recognise.ts'

/** The 48 bytes at the start of an `xl` file. Words are in the byte order of the machine that saved: `byteOrder` tells. Source: xl.h, save_file_header. */
export const xlHeader = struct(48, { magic: raw(32), byteOrder: u32, mandatoryFlags: u32, optionalFlags: u32, blockLength: u32 })
export type XlHeader = StructOf<typeof xlHeader>

export const xlHeaderCodec = structCodec('xl file header', xlHeader)

/** Bits of `mandatoryFlags`, and what `byteOrder` is when it was written as it is read. */
export const XL = { byteOrder: 0x01020304, jsonConfig: 1, streamV2: 2 } as const

/** The header as `xl save` writes it. @param blockLength of the optional block that follows, in bytes. */
export const newXlHeader = (blockLength: number): XlHeader => ({
  magic: xlMagic,
  byteOrder: XL.byteOrder,
  mandatoryFlags: XL.jsonConfig | XL.streamV2,
  optionalFlags: 0,
  blockLength,
})
