import { isXrError } from '@xen-replication/errors'
import { emulatorXenstoreData, XL2 } from '@xen-replication/format'
import type { DeviceModelWriter } from '@xen-replication/hypervisor'
import { readBody, recordName, refused, RestoreError, type RecordHead, type StreamFeed } from '@xen-replication/libxc-stream'
import { isXenstoreKey } from '../xenstore-key.ts'

/** Emulator id and index in front of the content. */
const FRONT = 8

/** Whether a record is for the device model. */
export const isForEmulator = ({ type }: RecordHead): boolean => type === XL2.EMULATOR_CONTEXT || type === XL2.EMULATOR_XENSTORE_DATA

/** What a record has the device model do, once it counts. */
export type EmulatorStep = () => Promise<void>

/**
 * Reads and judges a record for the device model; its effect is the caller's to have.
 *
 * @param deviceModel undefined for guests that have none.
 * @param bytesMax longest body taken.
 * @throws RestoreError XL2_EMULATOR_IN_PV, XL2_EMULATOR_SHORT, XL2_XENSTORE_NOT_TERMINATED, XL2_XENSTORE_KEY, RESTORE_HELD_LIMIT
 */
export async function readEmulatorRecord(feed: StreamFeed, head: RecordHead, deviceModel: DeviceModelWriter | undefined, bytesMax: number): Promise<EmulatorStep> {
  if (deviceModel === undefined) throw refused('XL2_EMULATOR_IN_PV', head, recordName(head))
  if (head.length < FRONT) throw refused('XL2_EMULATOR_SHORT', head, `${recordName(head)}, ${head.length} bytes`)
  if (head.length > bytesMax) throw tooLong(head, bytesMax)
  const body = await readBody(feed, head)
  if (head.type === XL2.EMULATOR_CONTEXT) return () => deviceModel.setState(body.subarray(FRONT))
  const pairs = pairsOf(body, head)
  return () => deviceModel.setXenstore(pairs)
}

function pairsOf(body: Uint8Array, head: RecordHead): readonly (readonly [string, string])[] {
  const pairs = entriesOf(body, head).map(({ key, value }) => [key, value] as const)
  const wrong = pairs.find(([key]) => !isXenstoreKey(key))
  if (wrong !== undefined) throw refused('XL2_XENSTORE_KEY', head, JSON.stringify(wrong[0].slice(0, 80)))
  return pairs
}

function entriesOf(body: Uint8Array, head: RecordHead): ReturnType<typeof emulatorXenstoreData.decode>['entries'] {
  try {
    return emulatorXenstoreData.decode(body).entries
  } catch (error) {
    if (!isXrError(error)) throw error
    throw refused('XL2_XENSTORE_NOT_TERMINATED', head, error.message)
  }
}

const tooLong = ({ offset, record, length }: RecordHead, bytesMax: number): RestoreError =>
  new RestoreError('RESTORE_HELD_LIMIT', `a record of ${length} bytes for the device model; ${bytesMax} are allowed`, { offset, record, hint: 'allow more bytes to be held' })
