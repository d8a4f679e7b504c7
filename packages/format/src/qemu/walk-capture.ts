import type { ByteReader } from '../bytes/byte-reader.ts'
import { viewOf } from '../bytes/struct.ts'
import { coloMessages, readColoMessage, type ColoMessageName } from './colo-message.ts'
import { QemuReader } from './qemu-reader.ts'
import type { RamVisitor } from './ram-payload.ts'
import { QEMU_MAGIC } from './stream-codes.ts'
import type { QemuItem, QemuSection } from './stream-item.ts'

/** What a COLO primary sends behind its first stream, and the pieces of that stream. `checkpoint` counts from 1; 0 is the first stream. */
export type CaptureItem = (
  | QemuItem
  | { readonly kind: 'message'; readonly offset: number; readonly name: ColoMessageName; readonly size: number | undefined }
  | { readonly kind: 'devices'; readonly offset: number; readonly length: number; readonly sections: readonly QemuSection[] }
) & { readonly checkpoint: number }

const NO_MEMORY: RamVisitor = { blocks: () => undefined, page: () => undefined }

/** Bytes that isQemuStream() looks at. */
export const QEMU_FIRST_BYTES = 8

/**
 * Whether these may be the first bytes of what QEMUs say to each other: a migration stream, or the answers of a COLO secondary.
 *
 * @param first QEMU_FIRST_BYTES of them, or all where there are fewer
 */
export const isQemuStream = (first: Uint8Array): boolean => (first.length >= 4 && viewOf(first).getUint32(0) === QEMU_MAGIC) || areAnswers(first)

/** A secondary says that it is ready, and next that it stands still. */
function areAnswers(first: Uint8Array): boolean {
  const at = (offset: number): ColoMessageName | undefined => coloMessages[viewOf(first).getUint32(offset)]
  if (first.length === 4) return at(0) === 'checkpoint-ready'
  return first.length >= QEMU_FIRST_BYTES && at(0) === 'checkpoint-ready' && at(4) === 'checkpoint-reply'
}

/**
 * Walks a migration stream of QEMU to its end; where it is one of COLO, all that its primary sent behind it. What a secondary answered is walked, too.
 *
 * @throws FormatError where it is damaged or was cut, with the place
 */
export async function* walkCapture(reader: ByteReader, visitor: RamVisitor = NO_MEMORY): AsyncGenerator<CaptureItem, void, void> {
  if (areAnswers(await reader.peek(QEMU_FIRST_BYTES))) return yield* walkAnswers(reader)
  const qemu = new QemuReader(reader, visitor)
  let checkpoint = 0
  for await (const item of qemu.stream()) yield { ...item, checkpoint }
  if (!qemu.colo) return
  for (let message = await readColoMessage(reader); message !== undefined; message = await readColoMessage(reader)) {
    if (message.name === 'checkpoint-request') checkpoint++
    yield { kind: 'message', ...message, checkpoint }
    if (message.name === 'vmstate-send') for await (const item of qemu.live()) yield { ...item, checkpoint }
    if (message.size === undefined) continue
    const { offset } = reader
    yield { kind: 'devices', offset, length: message.size, sections: await qemu.devices(await reader.copy(message.size)), checkpoint }
  }
}

async function* walkAnswers(reader: ByteReader): AsyncGenerator<CaptureItem, void, void> {
  let checkpoint = 0
  for (let message = await readColoMessage(reader); message !== undefined; message = await readColoMessage(reader)) {
    if (message.name === 'checkpoint-reply') checkpoint++
    yield { kind: 'message', ...message, checkpoint }
  }
}
