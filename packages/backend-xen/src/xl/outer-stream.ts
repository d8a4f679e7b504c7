import { writeStruct, type Layout } from '../hypercall/struct.ts'

/** The parts of an `xl` stream around the image of memory and CPUs. Source: xl_vmcontrol.c struct save_file_header; libxl_sr_stream_format.h. */
const MAGIC = 'Xen saved domain, xl format\n \0 \r'
const head = { size: 48, fields: { byteOrder: [32, 'u32'], mandatory: [36, 'u32'], optional: [40, 'u32'], length: [44, 'u32'] } } as const satisfies Layout
const BYTE_ORDER = 0x01020304
/** JSON configuration, stream of version 2. */
const MANDATORY = 3
const record = { size: 8, fields: { type: [0, 'u32'], length: [4, 'u32'] } } as const satisfies Layout
const emulator = { size: 8, fields: { id: [0, 'u32'], index: [4, 'u32'] } } as const satisfies Layout
const RECORD = { end: 0, libxcContext: 1, emulatorXenstore: 2, emulatorContext: 3 } as const
/** QEMU as upstream makes it. */
const QEMU = 2

/** All up to the place where the image would begin: header, configuration, stream header, LIBXC_CONTEXT. */
export function encodeStart(config: string): Uint8Array {
  const json = new TextEncoder().encode(`${config}\0`)
  const front = new Uint8Array(head.size + 4)
  writeStruct(head, front, 0, { byteOrder: BYTE_ORDER, mandatory: MANDATORY, length: json.length + 4 })
  front.set(Uint8Array.from(MAGIC, (char) => char.charCodeAt(0)))
  const view = new DataView(front.buffer)
  view.setUint32(head.size, json.length, true)
  const stream = new Uint8Array(16)
  new DataView(stream.buffer).setBigUint64(0, 0x4c6962786c466d74n) // "LibxlFmt", version 2, little-endian
  new DataView(stream.buffer).setUint32(8, 2)
  return joined(front, json, stream, encodeRecord(RECORD.libxcContext))
}

/** What a device model is started with. */
export interface ModelParts {
  readonly state: Uint8Array
  readonly xenstore: readonly (readonly [key: string, value: string])[]
}

/** All behind the image. */
export function encodeEnd(model: ModelParts | undefined): Uint8Array {
  if (model === undefined) return encodeRecord(RECORD.end)
  const front = new Uint8Array(emulator.size)
  writeStruct(emulator, front, 0, { id: QEMU, index: 0 })
  const keys = new TextEncoder().encode(model.xenstore.map(([key, value]) => `${key}\0${value}\0`).join(''))
  const store = keys.length === 0 ? new Uint8Array(0) : encodeRecord(RECORD.emulatorXenstore, front, keys)
  return joined(store, encodeRecord(RECORD.emulatorContext, front, model.state), encodeRecord(RECORD.end))
}

function encodeRecord(type: number, ...body: readonly Uint8Array[]): Uint8Array {
  const length = body.reduce((sum, part) => sum + part.length, 0)
  const front = new Uint8Array(record.size)
  writeStruct(record, front, 0, { type, length })
  return joined(front, ...body, new Uint8Array((8 - (length % 8)) % 8))
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
