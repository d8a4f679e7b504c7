import { CHECKPOINT_STATE, viewOf, XL2 } from '@xen-replication/format'
import { readBody, readHead, recordName, refused, type StreamFeed } from '@xen-replication/libxc-stream'

/** Longest body taken, in bytes; Xen writes 4. */
const BODY_MAX = 4096

/**
 * Reads the CHECKPOINT_STATE by which a COLO primary announces its next checkpoint, and nothing else.
 *
 * @throws RestoreError XL2_STATE_EMPTY, XL2_STATE_SHORT, XL2_STATE_ID for another state or record
 */
export async function readNewState(feed: StreamFeed): Promise<void> {
  const head = await readHead(feed, 'libxl')
  if (head === undefined) throw feed.ended({ code: 'XL2_NO_END' })
  if (head.type !== XL2.CHECKPOINT_STATE) throw refused('XL2_STATE_ID', head, `${recordName(head)} came instead`)
  if (head.length === 0) throw refused('XL2_STATE_EMPTY', head)
  if (head.length < 4 || head.length > BODY_MAX) throw refused('XL2_STATE_SHORT', head, `${head.length} bytes`)
  const id = viewOf(await readBody(feed, head)).getUint32(0, true)
  if (id !== CHECKPOINT_STATE.NEW) throw refused('XL2_STATE_ID', head, String(id))
}
