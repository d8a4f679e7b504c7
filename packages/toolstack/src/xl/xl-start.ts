import { configOf, newXlHeader, recognise, summariseConfig, viewOf, XL, xlBlock, xlHeaderCodec, type ByteReader, type ConfigKind } from '@xen-replication/format'
import type { GuestKind } from '@xen-replication/hypervisor'
import { refused } from '@xen-replication/libxc-stream'
import { ToolstackError } from '../toolstack-error.ts'

const HEADER_BYTES = 48
/** Longest configuration that is taken, in bytes; xl knows no limit. */
const BLOCK_MAX = 64 << 20
const PROBE_BYTES = 8

/** What stands before the stream in an `xl` file. */
export interface XlStart {
  /** As it stands there, without the zero byte at the end. */
  readonly config: string
  readonly name: string
  /** Undefined where the configuration does not say. */
  readonly uuid: string | undefined
  readonly kind: GuestKind
}

/** Header and configuration as `xl save` writes them. @param config libxl JSON of the guest. */
export function encodeXlStart(config: string): readonly Uint8Array[] {
  const block = xlBlock.encode({ config: new TextEncoder().encode(`${config}\0`), rest: new Uint8Array(0) })
  return [xlHeaderCodec.encode(newXlHeader(block.length)), block]
}

/**
 * Reads up to the first byte of the libxl stream.
 *
 * @throws ToolstackError TOOL_IMAGE, TOOL_NO_CONFIG; RestoreError with the code of the rule that is broken; FormatError
 */
export async function readXlStart(reader: ByteReader): Promise<XlStart> {
  requireXl(recognise(await reader.peek(PROBE_BYTES)))
  const header = await upTo(reader, HEADER_BYTES)
  const { magic, byteOrder, mandatoryFlags, blockLength } = xlHeaderCodec.decode(header)
  if (!newXlHeader(0).magic.every((byte, i) => byte === magic[i])) throw refused('XL_MAGIC', { offset: 0 })
  if (byteOrder !== XL.byteOrder) throw refused('XL_BYTE_ORDER', { offset: 32 })
  if ((mandatoryFlags & ~(XL.jsonConfig | XL.streamV2)) !== 0) throw refused('XL_MANDATORY_FLAGS', { offset: 36 })
  const start = startOf(await readConfig(reader, blockLength), (mandatoryFlags & XL.jsonConfig) === 0 ? 'text' : 'json')
  if ((mandatoryFlags & XL.streamV2) === 0) throw notRestorable('an image from before Xen 4.6', 'make a current one: `xr convert IN OUT --to xl`')
  return start
}

async function readConfig(reader: ByteReader, length: number): Promise<Uint8Array> {
  const offset = reader.offset
  if (length === 0) throw refused('XL_NO_CONFIG', { offset })
  if (length < 4) throw refused('XL_BLOCK_SHORT', { offset }, `${length} bytes`)
  if (length > BLOCK_MAX) throw refused('XL_CONFIG_LENGTH', { offset }, `${length} bytes, at most ${BLOCK_MAX} are taken`)
  const block = await upTo(reader, length)
  const size = viewOf(block).getUint32(0, true)
  if (size > length - 4) throw refused('XL_CONFIG_LENGTH', { offset }, `${size} bytes said, ${length - 4} there`)
  const config = configOf(block)
  if (config === undefined) throw refused('XL_NO_CONFIG', { offset })
  return new Uint8Array(config) // what the reader gives is valid until it reads on
}

async function upTo(reader: ByteReader, size: number): Promise<Uint8Array> {
  const bytes = await reader.upTo(size)
  if (bytes.length < size) throw refused('XL_HEADER_CUT', { offset: reader.offset }, `${size} bytes wanted, ${bytes.length} came`)
  return bytes
}

function startOf(bytes: Uint8Array, kind: ConfigKind): XlStart {
  const { name, type, uuid } = summariseConfig(bytes, kind)
  const config = new TextDecoder().decode(bytes)
  const lacks = name === undefined ? 'no name' : type === undefined ? 'no type (pv, pvh or hvm)' : undefined
  if (name !== undefined && type !== undefined) return { config, name, uuid, kind: type }
  throw new ToolstackError('TOOL_NO_CONFIG', `the configuration in the image has ${lacks ?? ''}`, { hint: 'give the image another one: `xr convert IN OUT --to xl --config FILE`' })
}

function requireXl(format: ReturnType<typeof recognise>): void {
  if (format === 'xl') return
  if (format === 'unknown') throw notRestorable('no Xen image', '`xr show FILE` tells what is known of it')
  const name = { libxl: 'a bare libxl stream', libxc: 'a bare libxc image', legacy: 'a bare legacy stream' }[format]
  throw notRestorable(`${name}, without the configuration of its guest`, 'put one to it: `xr convert IN OUT --to xl --config FILE`')
}

const notRestorable = (what: string, hint: string): ToolstackError => new ToolstackError('TOOL_IMAGE', `this is ${what}`, { hint })
