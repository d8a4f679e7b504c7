import { emulatorXenstoreData, paddingOf, recordHead, viewOf, XL2 } from '@xen-replication/format'
import type { DeviceModel } from '@xen-replication/hypervisor'
import { StreamError } from '../stream-error.ts'
import { isXenstoreKey } from '../xenstore-key.ts'

/** Upstream QEMU, the only device model there is; its index is always 0. */
const QEMU = 2
const BODY_MAX = 0xffff_ffff

/**
 * The records of a device model, in pieces, so that its state is not copied: its xenstore keys where it has any, and its state.
 *
 * @throws StreamError STREAM_XENSTORE, STREAM_TOO_LARGE; BackendError BACKEND_DEVICE_MODEL
 */
export async function emulatorRecords(deviceModel: DeviceModel): Promise<readonly Uint8Array[]> {
  const pairs = await deviceModel.xenstore()
  const state = await deviceModel.state()
  const length = 8 + state.length
  if (length > BODY_MAX) throw new StreamError('STREAM_TOO_LARGE', `the device model’s state has ${state.length} bytes, a record holds ${BODY_MAX - 8}`)
  const context = [recordHead(XL2.EMULATOR_CONTEXT, length), front(), state, new Uint8Array(paddingOf(length))]
  return [...xenstoreRecord(pairs), ...context]
}

function xenstoreRecord(pairs: Awaited<ReturnType<DeviceModel['xenstore']>>): readonly Uint8Array[] {
  if (pairs.length === 0) return []
  for (const [key, value] of pairs) {
    if (!isXenstoreKey(key) || !isText(value)) throw new StreamError('STREAM_XENSTORE', `${JSON.stringify(key)} = ${JSON.stringify(value)} cannot be put into a stream`)
  }
  const body = emulatorXenstoreData.encode({ emulator: QEMU, index: 0, entries: pairs.map(([key, value]) => ({ key, value })) })
  return [recordHead(XL2.EMULATOR_XENSTORE_DATA, body.length), body, new Uint8Array(paddingOf(body.length))]
}

/** Bytes as characters, without the one that ends a value. */
const isText = (value: string): boolean => Array.from(value).every((character) => character > '\0' && character <= '\xff')

function front(): Uint8Array {
  const bytes = new Uint8Array(8)
  viewOf(bytes).setUint32(0, QEMU, true)
  return bytes
}
