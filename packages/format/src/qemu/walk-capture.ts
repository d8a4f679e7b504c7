import type { ByteReader } from '../bytes/byte-reader.ts'
import { readColoMessage, type ColoMessageName } from './colo-message.ts'
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

/** Whether these may be the first bytes of a migration stream of QEMU. @param first at least four, else it is none */
export const isQemuStream = (first: Uint8Array): boolean => first.length >= 4 && new DataView(first.buffer, first.byteOffset, 4).getUint32(0) === QEMU_MAGIC

/**
 * Walks a migration stream of QEMU to its end; where it is one of COLO, all that its primary sent behind it.
 *
 * @throws FormatError where it is damaged or was cut, with the place
 */
export async function* walkCapture(reader: ByteReader, visitor: RamVisitor = NO_MEMORY): AsyncGenerator<CaptureItem, void, void> {
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
