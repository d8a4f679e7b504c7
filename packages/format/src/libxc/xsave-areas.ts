/** A part of an XSAVE image that is there. */
export interface XsaveArea {
  readonly name: string
  /** Bytes from the start of the image. */
  readonly offset: number
  readonly bytes: Uint8Array
}

/** Name, bit in xcr0, offset and size in bytes. */
type Component = readonly [name: string, bit: bigint, offset: number, size: number]

const FRONT: readonly Component[] = [
  ['legacy', 0n, 0, 512],
  ['header', 0n, 512, 64],
  ['AVX', 2n, 576, 256],
]
// Where the rest lies is told by CPUID, not by the image. Intel leaves room for MPX, AMD does not.
const INTEL: readonly Component[] = [
  ['BNDREGS', 3n, 960, 64],
  ['BNDCSR', 4n, 1024, 64],
  ['OPMASK', 5n, 1088, 64],
  ['ZMM_HI256', 6n, 1152, 512],
  ['HI16_ZMM', 7n, 1664, 1024],
  ['PKRU', 9n, 2688, 8],
]
const AMD: readonly Component[] = [
  ['OPMASK', 5n, 832, 64],
  ['ZMM_HI256', 6n, 896, 512],
  ['HI16_ZMM', 7n, 1408, 1024],
  ['PKRU', 9n, 2432, 8],
]

const KNOWN = 0x2ffn

/**
 * Names the parts of an uncompressed XSAVE image, as far as they can be told: legacy area and header always, AVX where it is enabled, the
 * others when the image's length fits one vendor's layout.
 *
 * @param accum what the guest has ever enabled (xcr0_accum).
 */
export function xsaveAreas(accum: bigint, image: Uint8Array): readonly XsaveArea[] {
  const tail = [INTEL, AMD].map((vendor) => vendor.filter(enabled(accum))).find((parts) => (accum & ~KNOWN) === 0n && endOf(accum, parts) === image.length)
  return [...FRONT.filter(enabled(accum)), ...(tail ?? [])]
    .filter(([, , offset, size]) => offset + size <= image.length)
    .map(([name, , offset, size]) => ({ name, offset, bytes: image.subarray(offset, offset + size) }))
}

/** Legacy area and header belong to bit 0, which is always on. */
const enabled = (accum: bigint) => ([, bit]: Component): boolean => ((accum | 1n) >> bit) % 2n === 1n

const endOf = (accum: bigint, tail: readonly Component[]): number =>
  [...FRONT.filter(enabled(accum)), ...tail].reduce((end, [, , offset, size]) => Math.max(end, offset + size), 0)
