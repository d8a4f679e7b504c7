import { u32, type Json } from '../bytes/field.ts'
import { asObject, readStruct, struct, writeStruct } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'
import { bodySizeError, hexOf, opaque, type Codec } from '../frame/codec.ts'
import { sameBytes } from '../frame/describe.ts'
import { joined } from '../bytes/joined.ts'
import { bytesOfUtf8, utf8OfBytes } from './utf8.ts'

/** What stands between an `xl` file's header and its stream. */
export interface XlBlock {
  /** The domain's configuration: libxl's JSON and a NUL, or the text of an xl.cfg; header flag bit 0 tells. Empty when there is none. */
  readonly config: Uint8Array
  /** What a later xl may add; `xl` passes over it. */
  readonly rest: Uint8Array
}

const front = struct(4, { length: u32 })

/** The configuration in an optional block, as much of it as is there and without the NUL that ends JSON; undefined when there is none. */
export function configOf(block: Uint8Array | undefined): Uint8Array | undefined {
  if (block === undefined || block.length < front.size) return undefined
  const { length } = readStruct(front, block)
  const config = block.subarray(front.size, front.size + length)
  const end = config.at(-1) === 0 ? config.length - 1 : config.length
  return end === 0 ? undefined : config.subarray(0, end)
}

/** In JSON the configuration is text where it is UTF-8, else bytes under `configHex`. Source: xl_saverestore.c, save_domain_core_writeconfig(). */
export const xlBlock: Codec<XlBlock> = {
  decode: (bytes) => {
    if (bytes.length < front.size) throw bodySizeError('optional block', '4 or more bytes', bytes.length)
    const { length } = readStruct(front, bytes)
    const end = front.size + length
    if (end > bytes.length) throw bodySizeError('optional block', `${end} or more bytes for a configuration of ${length}`, bytes.length)
    return { config: bytes.slice(front.size, end), rest: bytes.slice(end) }
  },
  encode: ({ config, rest }) => joined(writeStruct(front, { length: config.length }), config, rest),
  toJson: ({ config, rest }) => ({ ...describeConfig(config), rest: opaque.toJson(rest) }),
  fromJson: (json) => {
    const { config, configHex, rest } = asObject(json)
    return { config: configHex === undefined ? configFrom(config) : hexOf(configHex), rest: hexOf(rest) }
  },
}

function describeConfig(config: Uint8Array): { readonly [key: string]: Json } {
  const text = utf8OfBytes(config)
  return sameBytes(bytesOfUtf8(text), config) ? { config: text } : { configHex: opaque.toJson(config) }
}

function configFrom(json: Json | undefined): Uint8Array {
  if (typeof json !== 'string') throw new FormatError('FMT_JSON', 'the configuration as text wanted')
  return bytesOfUtf8(json)
}
