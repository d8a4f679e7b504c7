import { viewOf, writeStruct } from '../bytes/struct.ts'
import { encodeRecord, recordHead } from '../frame/encode.ts'
import { joined, joinedList } from '../bytes/joined.ts'
import { DOMAIN, domainHeader } from '../libxc/domain-header.ts'
import { IMAGE, imageHeader } from '../libxc/image-header.ts'
import { pageDataHead } from '../libxc/page-data-head.ts'
import { XC } from '../libxc/record-types.ts'
import { hvmParams, x86PvInfo, x86PvP2mFrames, x86TscInfo } from '../libxc/records.ts'
import { vcpuFront } from '../libxc/vcpu-record.ts'
import { EMULATOR, emulatorHeader } from '../libxl/emulator.ts'
import { XL2 } from '../libxl/record-types.ts'
import { LIBXL, libxlHeader } from '../libxl/stream-header.ts'
import type { LegacyGuest } from './chunk-types.ts'
import type { LegacyEntries } from './entries.ts'
import type { TscInfoStep } from './steps.ts'

// Pieces of a converted stream.

/** Header of a libxl stream whose option says that it was converted, and the record that hands over to libxc. */
export const libxlStart = (): Uint8Array =>
  joined(writeStruct(libxlHeader, { ident: LIBXL.ident, version: LIBXL.version, options: LIBXL.convertedFromLegacy }), encodeRecord(XL2.LIBXC_CONTEXT))

/** Xen's converter gives its own version in place of that of the hypervisor that saved; major 0 says so. */
const CONVERTER_VERSION = { xenMajor: 0, xenMinor: 1 } as const

/** Image header, version 3, and domain header. */
export const libxcStart = (guest: LegacyGuest): Uint8Array =>
  joined(
    writeStruct(imageHeader, { marker: IMAGE.marker, id: IMAGE.id, version: 3, options: 0 }),
    writeStruct(domainHeader, { type: guest === 'pv' ? DOMAIN.PV : DOMAIN.HVM, pageShift: 12, ...CONVERTER_VERSION }),
  )

export const pvInfo = (guestWidth: number, ptLevels: number): Uint8Array => encodeRecord(XC.X86_PV_INFO, x86PvInfo.encode({ guestWidth, ptLevels }))
export const staticDataEnd = (): Uint8Array => encodeRecord(XC.STATIC_DATA_END)

/** The part of X86_PV_P2M_FRAMES in front of its frames, 8 bytes each. */
export const p2mFramesFront = (endPfn: number, count: number): Uint8Array =>
  joined(recordHead(XC.X86_PV_P2M_FRAMES, 8 + 8 * count), x86PvP2mFrames.encode({ startPfn: 0, endPfn, frames: [] }))

/** 32-bit words as 64-bit ones. */
export function widened(words: Uint8Array): Uint8Array {
  const out = new Uint8Array(2 * words.length)
  const [from, to] = [viewOf(words), viewOf(out)]
  for (let at = 0; at < words.length; at += 4) to.setUint32(2 * at, from.getUint32(at, true), true)
  return out
}

/** The part of PAGE_DATA in front of its pages. Filler is left out; undefined when there is nothing else. */
export function pageDataFront(entries: LegacyEntries): Uint8Array | undefined {
  const real = Array.from({ length: entries.count }, (_, i) => i).filter((i) => !entries.isFiller(i))
  return real.length === 0 ? undefined : pageDataHead(real.map((i) => ({ pfn: entries.pfn(i), type: entries.type(i) })))
}

export const tscInfo = ({ mode, khz, nsec, incarnation }: TscInfoStep): Uint8Array => encodeRecord(XC.X86_TSC_INFO, x86TscInfo.encode({ mode, khz, nsec, incarnation }))

/** @param params number and value of each. */
export const paramsRecord = (params: readonly (readonly [number, bigint])[]): Uint8Array =>
  encodeRecord(XC.HVM_PARAMS, hvmParams.encode(params.map(([index, value]) => ({ index: BigInt(index), value }))))

/** @param data as the legacy stream has it, which is the same. */
export const pvVcpu = (kind: 'BASIC' | 'EXTENDED' | 'XSAVE', id: number, data: Uint8Array): Uint8Array => encodeRecord(XC[`X86_PV_VCPU_${kind}`], vcpuFront(id), data)
export const sharedInfo = (data: Uint8Array): Uint8Array => encodeRecord(XC.SHARED_INFO, data)
export const hvmContext = (data: Uint8Array): Uint8Array => encodeRecord(XC.HVM_CONTEXT, data)
export const libxcEnd = (): Uint8Array => encodeRecord(XC.END)

/** Emulator records name the emulator; converted ones say that it is unknown. */
const emulatorFront = (): Uint8Array => writeStruct(emulatorHeader, { emulator: EMULATOR.UNKNOWN, index: 0 })
export const emulatorXenstore = (keys: readonly Uint8Array[]): Uint8Array => encodeRecord(XL2.EMULATOR_XENSTORE_DATA, emulatorFront(), joinedList(keys))
export const emulatorContext = (data: Uint8Array): Uint8Array => encodeRecord(XL2.EMULATOR_CONTEXT, emulatorFront(), data)
export const libxlEnd = (): Uint8Array => encodeRecord(XL2.END)
