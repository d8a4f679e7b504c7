import { HOLD_MAX } from '../bytes/limits.ts'
import { viewOf } from '../bytes/struct.ts'
import type { HeaderItem } from '../image/item.ts'
import { xlMagic } from '../image/recognise.ts'
import type { Report } from './findings.ts'
import type { StreamState } from './state.ts'

const JSON_CONFIG = 1
const V2_STREAM = 2

/** What the 48-byte header says of the rest. */
export interface XlFlags {
  readonly json: boolean
  readonly v2: boolean
}

export function checkXlHeader({ bytes }: HeaderItem, report: Report): XlFlags {
  const view = viewOf(bytes)
  const mandatory = view.getUint32(36, true)
  if (!xlMagic.every((byte, i) => bytes[i] === byte)) report('XL_MAGIC')
  if (view.getUint32(32, true) !== 0x01020304) report('XL_BYTE_ORDER', hex(view.getUint32(32, true)), 32)
  if ((mandatory & ~(JSON_CONFIG | V2_STREAM)) !== 0) report('XL_MANDATORY_FLAGS', hex(mandatory), 36)
  if (view.getUint32(40, true) !== 0) report('XL_OPTIONAL_FLAGS', hex(view.getUint32(40, true)), 40)
  if (view.getUint32(44, true) === 0) report('XL_NO_CONFIG', undefined, 44)
  if (view.getUint32(44, true) > HOLD_MAX) report('XL_BLOCK_LONG', `${view.getUint32(44, true)} bytes`, 44)
  return { json: (mandatory & JSON_CONFIG) !== 0, v2: (mandatory & V2_STREAM) !== 0 }
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
  const config = parse(bytes.subarray(0, end === -1 ? bytes.length : end))
  if (config === undefined) return report('XL_CONFIG_JSON')
  const type = member(member(config, 'c_info'), 'type')
  const vcpus = member(member(config, 'b_info'), 'max_vcpus')
  stream.configured = type === 'pv' || type === 'pvh' || type === 'hvm' ? type : undefined
  stream.maxVcpus = typeof vcpus === 'number' ? vcpus : undefined
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(latin1(bytes))
  } catch {
    return undefined
  }
}

const member = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined

/** Names in UTF-8 come out garbled, but structure and ASCII values, all that is asked for here, do not. */
function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return text
}

const hex = (value: number): string => `0x${value.toString(16)}`
