/** x87, SSE and AVX: what simulated CPUs have. */
const XCR0 = 7n
/** Legacy area, header, AVX: the uncompressed image for those three. */
const IMAGE_BYTES = 512 + 64 + 256
const LEAST = 512 + 64

/** An XSAVE image of a vCPU with xcr0 and xcr0_accum in front, as Xen gives it. Registers hold what `fill` gives. */
export function createXsave(fill: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + IMAGE_BYTES)
  const view = viewOf(bytes)
  view.setBigUint64(0, XCR0, true)
  view.setBigUint64(8, XCR0, true)
  bytes.set(createFpu(fill), 16)
  view.setBigUint64(16 + 512, XCR0, true)
  bytes.set(fill.subarray(0, 256), 16 + 576)
  return bytes
}

/** The 512 bytes of FXSAVE: control words as after a reset, sixteen registers from `fill`. */
export function createFpu(fill: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(512)
  const view = viewOf(bytes)
  view.setUint16(0, 0x037f, true)
  view.setUint32(24, 0x1f80, true)
  bytes.set(fill.subarray(0, 256), 160)
  return bytes
}

/**
 * What Xen would say to an XSAVE area (xcr0, xcr0_accum, image); undefined when it is taken.
 * Source: xen/arch/x86/xstate.c validate_xstate.
 */
export function xsaveFault(bytes: Uint8Array): string | undefined {
  if (bytes.length < 16) return `${bytes.length} bytes are no XSAVE area, which has 16 at least`
  const view = viewOf(bytes)
  const xcr0 = view.getBigUint64(0, true)
  const accum = view.getBigUint64(8, true)
  if (bytes.length === 16) return accum === 0n && xcr0 === 0n ? undefined : 'features are on, but no image follows'
  if (bytes.length < 16 + LEAST) return `an image has ${LEAST} bytes at least`
  if ((xcr0 & ~accum) !== 0n) return 'xcr0 has features that xcr0_accum has not'
  if ((view.getBigUint64(16 + 512, true) & ~accum) !== 0n) return 'the image has features that xcr0_accum has not'
  if (view.getBigUint64(16 + 520, true) !== 0n) return 'the image is compacted'
  return undefined
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
