import { expect } from 'vitest'
import type { Json } from '../../src/bytes/field.ts'
import type { Codec } from '../../src/frame/codec.ts'
import { bodyFromDescription, describeBody } from '../../src/frame/describe.ts'

/** Takes bytes through JSON text and back, expects them named and unchanged, and gives the named value. */
export function thereAndBack(codec: Codec<unknown> | undefined, bytes: Uint8Array): Json {
  const description = JSON.parse(JSON.stringify(describeBody(codec, bytes))) as { readonly value: Json }
  expect(Object.keys(description)).toEqual(['value'])
  expect(bodyFromDescription(codec, description)).toEqual(bytes)
  return description.value
}

/** Little-endian 32-bit words as bytes. */
export const words = (...values: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer)

/** `size` bytes, none of them zero and neighbours different. */
export const busy = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, i) => 1 + ((i * 37 + (i >> 8)) % 255))
