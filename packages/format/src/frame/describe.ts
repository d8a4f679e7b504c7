import type { Json } from '../bytes/field.ts'
import { asObject } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'
import { hexOf, opaque, type Codec } from './codec.ts'

/** A body as JSON: by name where that loses nothing, else its bytes in hexadecimal. */
export type BodyDescription = { readonly value: Json } | { readonly raw: string }

/**
 * Describes a body so that `bodyFromDescription()` gives back every byte of it. A body without a codec, one that its codec
 * refuses, and one with something in reserved places is described as raw bytes.
 */
export function describeBody(codec: Codec<unknown> | undefined, body: Uint8Array): BodyDescription {
  const value = codec && faithful(codec, body)
  return value === undefined ? { raw: opaque.toJson(body) as string } : { value }
}

/** @throws FormatError FMT_JSON when the description is not one, or names values of a record that has no codec. */
export function bodyFromDescription(codec: Codec<unknown> | undefined, description: Json | BodyDescription): Uint8Array {
  const { raw, value } = asObject(description)
  if (raw !== undefined) return hexOf(raw)
  if (codec === undefined) throw new FormatError('FMT_JSON', '"raw" wanted: a record of this type has no named values')
  return codec.encode(codec.fromJson(value))
}

function faithful(codec: Codec<unknown>, body: Uint8Array): Json | undefined {
  try {
    const value = codec.toJson(codec.decode(body))
    return sameBytes(codec.encode(codec.fromJson(value)), body) ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether both hold the same bytes. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])
