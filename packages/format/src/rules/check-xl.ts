import { HOLD_MAX } from '../bytes/limits.ts'
import { viewOf } from '../bytes/struct.ts'
import { textOfBytes } from '../frame/latin1.ts'
import type { HeaderItem } from '../image/item.ts'
import { xlMagic } from '../image/recognise.ts'
import { contentOfJson, parseConfig } from '../xl/config-json.ts'
import { XL } from '../xl/save-header.ts'
import type { Report } from './findings.ts'
import type { StreamState } from './state.ts'

/** What the 48-byte header says of the rest. */
export interface XlFlags {
  readonly json: boolean
  readonly v2: boolean
}

export function checkXlHeader({ bytes }: HeaderItem, report: Report): XlFlags {
  const view = viewOf(bytes)
  const mandatory = view.getUint32(36, true)
  if (!xlMagic.every((byte, i) => bytes[i] === byte)) report('XL_MAGIC')
  if (view.getUint32(32, true) !== XL.byteOrder) report('XL_BYTE_ORDER', hex(view.getUint32(32, true)), 32)
  if ((mandatory & ~(XL.jsonConfig | XL.streamV2)) !== 0) report('XL_MANDATORY_FLAGS', hex(mandatory), 36)
  if (view.getUint32(40, true) !== 0) report('XL_OPTIONAL_FLAGS', hex(view.getUint32(40, true)), 40)
  if (view.getUint32(44, true) === 0) report('XL_NO_CONFIG', undefined, 44)
  if (view.getUint32(44, true) > HOLD_MAX) report('XL_BLOCK_LONG', `${view.getUint32(44, true)} bytes`, 44)
  return { json: (mandatory & XL.jsonConfig) !== 0, v2: (mandatory & XL.streamV2) !== 0 }
}

export function checkXlBlock({ bytes }: HeaderItem, flags: XlFlags, stream: StreamState, report: Report): void {
  if (bytes.length < 4) return report('XL_BLOCK_SHORT', `${bytes.length} bytes`)
  const length = viewOf(bytes).getUint32(0, true)
  if (length > bytes.length - 4) return report('XL_CONFIG_LENGTH', `${length} bytes said, ${bytes.length - 4} there`)
  if (length === 0) return report('XL_NO_CONFIG')
  if (flags.json) checkJson(bytes.subarray(4, 4 + length), stream, report)
}

function checkJson(bytes: Uint8Array, stream: StreamState, report: Report): void {
  const end = bytes.indexOf(0)
  if (end === -1) report('XL_CONFIG_NOT_TERMINATED')
  // Names in UTF-8 come out garbled so, but structure and ASCII values, all that is asked for here, do not.
  const config = parseConfig(textOfBytes(bytes.subarray(0, end === -1 ? bytes.length : end)))
  if (config === undefined) return report('XL_CONFIG_JSON')
  const { type, maxVcpus } = contentOfJson(config)
  stream.configured = type
  stream.maxVcpus = maxVcpus
}

const hex = (value: number): string => `0x${value.toString(16)}`
