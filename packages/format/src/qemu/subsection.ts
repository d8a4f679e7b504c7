import type { ByteReader } from '../bytes/byte-reader.ts'
import { viewOf } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'
import { readName } from './name.ts'
import type { QemuItem } from './stream-item.ts'

/** Most capabilities that a sender lists. */
const CAPABILITIES_MAX = 256

/** How to pass over what has no length. Source: QEMU, migration/savevm.c, vmstate_configuration. */
const bodies: ReadonlyMap<string, (reader: ByteReader) => Promise<unknown>> = new Map<string, (reader: ByteReader) => Promise<unknown>>([
  ['configuration/target-page-bits', (reader) => reader.take(4)],
  ['configuration/capabilities', passCapabilities],
  ['configuration/uuid', (reader) => reader.take(16)],
])

/** What may stand behind a configuration. @throws FormatError FMT_TRUNCATED, FMT_QEMU_STREAM */
export async function readSubsection(reader: ByteReader, offset: number): Promise<QemuItem> {
  const name = await readName(reader)
  const version = viewOf(await reader.take(4)).getUint32(0)
  const pass = bodies.get(name)
  if (pass === undefined) throw new FormatError('FMT_QEMU_STREAM', `the subsection '${name}' is not known, and has no length`, { offset })
  await pass(reader)
  return { kind: 'subsection', offset, length: reader.offset - offset, name, version }
}

async function passCapabilities(reader: ByteReader): Promise<void> {
  const { offset } = reader
  const count = viewOf(await reader.take(4)).getUint32(0)
  if (count > CAPABILITIES_MAX) throw new FormatError('FMT_QEMU_STREAM', `${count} capabilities`, { offset })
  for (let i = 0; i < count; i++) await readName(reader)
}
