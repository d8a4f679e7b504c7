import { viewOf } from '../bytes/struct.ts'
import type { LegacyWidth } from './chunk-types.ts'
import type { ReportLegacy } from './legacy-error.ts'

/** A region of guest memory that the device model had mapped elsewhere. */
export interface Physmap {
  readonly physOffset: bigint
  readonly startAddr: bigint
  readonly size: bigint
  /** Without its NUL. */
  readonly name: Uint8Array
}

const HEAD = 8
const ENTRY_HEAD = 28
/** 64-bit savers wrote this many bytes of their own structure's padding behind each name. */
const STRAY: Readonly<Record<LegacyWidth, number>> = { 32: 0, 64: 4 }

/**
 * Reads the blob that libxl put into the stream.
 *
 * @param offset of the blob's first byte in the stream, for the reports.
 * @param report is told of each fault; when it returns, reading goes on where that is possible.
 * @returns what could be read.
 */
export function readToolstack(data: Uint8Array, width: LegacyWidth, offset: number, report: ReportLegacy): readonly Physmap[] {
  const found: Physmap[] = []
  if (data.length < HEAD) return report('LG_TOOLSTACK_SHORT', offset), found
  const view = viewOf(data)
  const version = view.getUint32(0, true)
  if (version !== 1) return report('LG_TOOLSTACK_VERSION', offset, `${version}`), found
  let at = HEAD
  for (let left = view.getUint32(4, true); left > 0; left--) {
    const nameAt = at + ENTRY_HEAD
    const nameLength = nameAt <= data.length ? view.getUint32(nameAt - 4, true) : 0
    const end = nameAt + nameLength + STRAY[width]
    if (end > data.length) return report('LG_TOOLSTACK_SHORT', offset + at), found
    const name = data.subarray(nameAt, nameAt + nameLength)
    if (isName(name, offset + nameAt, report)) found.push(physmapOf(view, at, name.subarray(0, -1)))
    at = end
  }
  if (at < data.length) report('LG_TOOLSTACK_REST', offset + at, `${data.length - at} bytes`)
  return found
}

function isName(name: Uint8Array, offset: number, report: ReportLegacy): boolean {
  if (name.indexOf(0) !== name.length - 1 || name.length === 0) return report('LG_TOOLSTACK_NAME', offset), false
  if (!isUtf8(name)) report('LG_TOOLSTACK_UTF8', offset)
  return true
}

const physmapOf = (view: DataView, at: number, name: Uint8Array): Physmap => ({
  physOffset: view.getBigUint64(at, true),
  startAddr: view.getBigUint64(at + 8, true),
  size: view.getBigUint64(at + 16, true),
  name,
})

function isUtf8(bytes: Uint8Array): boolean {
  try {
    decodeURIComponent(Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''))
    return true
  } catch {
    return false
  }
}

/** The xenstore keys that stand for a region, as `key NUL value NUL`; keys are relative to the device model's directory. */
export function physmapKeys({ physOffset, startAddr, size, name }: Physmap): Uint8Array {
  const root = `physmap/${physOffset.toString(16)}`
  const head = `${root}/start_addr\0${startAddr.toString(16)}\0${root}/size\0${size.toString(16)}\0${root}/name\0`
  const out = new Uint8Array(head.length + name.length + 1)
  out.set(Uint8Array.from(head, (c) => c.charCodeAt(0)))
  out.set(name, head.length)
  return out
}
