import { PAGE_SIZE, paddingOf } from '../bytes/limits.ts'
import { viewOf } from '../bytes/struct.ts'
import { XC } from '../libxc/record-types.ts'
import { XL2 } from '../libxl/record-types.ts'
import type { LegacyGuest } from './chunk-types.ts'
import type { LegacyEntries } from './entries.ts'

/** Pieces of a converted stream. All are little-endian, but for the two stream headers. */

const words32 = (...values: readonly number[]): Uint8Array => {
  const out = new Uint8Array(4 * values.length)
  const view = viewOf(out)
  values.forEach((value, i) => view.setUint32(4 * i, value, true))
  return out
}

const bigEndian32 = (...values: readonly number[]): Uint8Array => {
  const out = new Uint8Array(4 * values.length)
  const view = viewOf(out)
  values.forEach((value, i) => view.setUint32(4 * i, value))
  return out
}

const words64 = (values: readonly bigint[]): Uint8Array => {
  const out = new Uint8Array(8 * values.length)
  const view = viewOf(out)
  values.forEach((value, i) => view.setBigUint64(8 * i, value, true))
  return out
}

/** All bytes in one piece. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

function record(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return joined([words32(type, length), ...parts, new Uint8Array(paddingOf(length))])
}

/** Header of a libxl stream whose option says that it was converted, and the record that hands over to libxc. */
export const libxlStart = (): Uint8Array => joined([bigEndian32(0x4c696278, 0x6c466d74, 2, 2), record(XL2.LIBXC_CONTEXT)])

/** Xen's converter gives its own version in place of that of the hypervisor that saved; major 0 says so. */
const CONVERTER_VERSION = { major: 0, minor: 1 } as const

/** Image header, version 3, and domain header. */
export const libxcStart = (guest: LegacyGuest): Uint8Array =>
  joined([
    bigEndian32(0xffffffff, 0xffffffff, 0x58454e46, 3, 0, 0),
    words32(guest === 'pv' ? 1 : 2, 12, CONVERTER_VERSION.major, CONVERTER_VERSION.minor),
  ])

export const pvInfo = (width: number, levels: number): Uint8Array => record(XC.X86_PV_INFO, Uint8Array.of(width, levels, 0, 0, 0, 0, 0, 0))
export const staticDataEnd = (): Uint8Array => record(XC.STATIC_DATA_END)

/** The part of X86_PV_P2M_FRAMES in front of its frames, 8 bytes each. */
export const p2mFramesFront = (lastPfn: number, count: number): Uint8Array => words32(XC.X86_PV_P2M_FRAMES, 8 + 8 * count, 0, lastPfn)

/** 32-bit words as 64-bit ones. */
export function widened(words: Uint8Array): Uint8Array {
  const out = new Uint8Array(2 * words.length)
  const [from, to] = [viewOf(words), viewOf(out)]
  for (let at = 0; at < words.length; at += 4) to.setUint32(2 * at, from.getUint32(at, true), true)
  return out
}

/** The part of PAGE_DATA in front of its pages. Filler is left out; undefined when there is nothing else. */
export function pageDataFront(entries: LegacyEntries): Uint8Array | undefined {
  const words: number[] = []
  for (let i = 0; i < entries.count; i++) if (!entries.isFiller(i)) words.push(entries.pfn(i), entries.type(i) * 0x1000_0000)
  const count = words.length / 2
  return count === 0 ? undefined : words32(XC.PAGE_DATA, 8 + 8 * count + PAGE_SIZE * entries.contents, count, 0, ...words)
}

export const tscInfo = (tsc: { readonly mode: number; readonly khz: number; readonly nsec: bigint; readonly incarnation: number }): Uint8Array =>
  record(XC.X86_TSC_INFO, words32(tsc.mode, tsc.khz), words64([tsc.nsec]), words32(tsc.incarnation, 0))

/** @param params number and value of each. */
export const hvmParams = (params: readonly (readonly [number, bigint])[]): Uint8Array =>
  record(XC.HVM_PARAMS, words32(params.length, 0), words64(params.flatMap(([param, value]) => [BigInt(param), value])))

export const pvVcpu = (kind: 'BASIC' | 'EXTENDED' | 'XSAVE', id: number, data: Uint8Array): Uint8Array =>
  record(XC[`X86_PV_VCPU_${kind}`], words32(id, 0), data)
export const sharedInfo = (data: Uint8Array): Uint8Array => record(XC.SHARED_INFO, data)
export const hvmContext = (data: Uint8Array): Uint8Array => record(XC.HVM_CONTEXT, data)
export const libxcEnd = (): Uint8Array => record(XC.END)

/** Emulator records name the emulator; converted ones say "unknown", index 0. */
const unknownEmulator = (): Uint8Array => words32(0, 0)
export const emulatorXenstore = (keys: readonly Uint8Array[]): Uint8Array => record(XL2.EMULATOR_XENSTORE_DATA, unknownEmulator(), ...keys)
export const emulatorContext = (data: Uint8Array): Uint8Array => record(XL2.EMULATOR_CONTEXT, unknownEmulator(), data)
export const libxlEnd = (): Uint8Array => record(XL2.END)
