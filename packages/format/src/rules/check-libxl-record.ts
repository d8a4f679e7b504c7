import { viewOf } from '../bytes/struct.ts'
import type { RecordItem } from '../image/item.ts'
import { XL2 } from '../libxl/record-types.ts'
import type { Report } from './findings.ts'
import type { StreamState } from './state.ts'

/** A key may be this long before the record is taken for damaged; bodies up to here are read. */
const XENSTORE_MAX = 1 << 20

/** Judges one record of the libxl stream; its checkpoints are followed in verifier.ts. */
export async function checkLibxlRecord(record: RecordItem, stream: StreamState, report: Report, depth: 'headers' | 'rules' | 'data'): Promise<void> {
  switch (record.type) {
    case XL2.END:
    case XL2.LIBXC_CONTEXT:
      notEmpty(record, report)
      if (stream.inGroup) report('XL2_NOT_IN_CHECKPOINT', record.name)
      else if (record.type === XL2.LIBXC_CONTEXT && stream.libxcImages > 0) report('XL2_SECOND_LIBXC')
      return
    case XL2.CHECKPOINT_END:
      notEmpty(record, report)
      if (!stream.inGroup) report('XL2_CHECKPOINT_END_ALONE')
      return
    case XL2.EMULATOR_XENSTORE_DATA:
    case XL2.EMULATOR_CONTEXT:
      return checkEmulator(record, stream, report, depth)
    case XL2.CHECKPOINT_STATE:
      return checkState(record, stream, report, depth)
    default:
      report('XL2_UNKNOWN_TYPE', `type 0x${record.type.toString(16)}`)
  }
}

function notEmpty(record: RecordItem, report: Report): void {
  if (record.length > 0) report('XL2_BODY_NOT_EMPTY', `${record.name}, ${record.length} bytes`)
}

async function checkEmulator(record: RecordItem, stream: StreamState, report: Report, depth: string): Promise<void> {
  if (record.length < 8) return report('XL2_EMULATOR_SHORT', `${record.name}, ${record.length} bytes`)
  if (!mayHaveEmulator(stream)) report('XL2_EMULATOR_IN_PV', record.name)
  if (record.type === XL2.EMULATOR_CONTEXT) stream.emulator = true
  else if (record.length > 8) report('XL2_XENSTORE_PY3')
  if (depth === 'headers') return
  const front = await record.body.peek(8)
  if (front.length < 8) return
  const view = viewOf(front)
  const [id, index] = [view.getUint32(0, true), view.getUint32(4, true)]
  if (id > 2) report('XL2_EMULATOR_ID', String(id))
  if (index !== 0) report('XL2_EMULATOR_INDEX', String(index))
  if (record.type !== XL2.EMULATOR_XENSTORE_DATA || record.length > XENSTORE_MAX) return
  const body = await record.body.all()
  if (body.length === record.length) checkPairs(body.subarray(8), report)
}

/** Guests that are not known yet may. */
function mayHaveEmulator({ configured, domain, libxcImages, image }: StreamState): boolean {
  const guest = configured ?? domain ?? (libxcImages > 0 ? image.guest : 'hvm')
  return guest === 'hvm'
}

/** Strings each ending in a zero byte, keys and values by turns. */
function checkPairs(bytes: Uint8Array, report: Report): void {
  let at = 0
  for (let strings = 0; at < bytes.length; strings++) {
    const end = bytes.indexOf(0, at)
    if (end === -1) return report('XL2_XENSTORE_NOT_TERMINATED')
    const isKey = strings % 2 === 0
    if (isKey && (end === at || bytes[at] === 0x2f)) report('XL2_XENSTORE_KEY', `key ${strings / 2}`)
    at = end + 1
    if (isKey && at === bytes.length) report('XL2_XENSTORE_NOT_TERMINATED', 'the last key has no value')
  }
}

async function checkState(record: RecordItem, stream: StreamState, report: Report, depth: string): Promise<void> {
  if (!stream.stateDue) report('XL2_STATE_ALONE')
  if (record.length === 0) return report('XL2_STATE_EMPTY')
  if (record.length < 4) return report('XL2_STATE_SHORT', `${record.length} bytes`)
  if (depth === 'headers') return
  const front = await record.body.peek(4)
  const id = front.length === 4 ? viewOf(front).getUint32(0, true) : 0
  if (id !== 0) report('XL2_STATE_ID', String(id))
}
