import { viewOf } from '../bytes/struct.ts'
import type { RecordScene } from './scene.ts'

/** Whether the context divides into save records from HEADER to END; what they hold is Xen's business. */
export function checkContext({ record, report }: RecordScene, body: Uint8Array): void {
  const view = viewOf(body)
  let at = 0
  for (let first = true; at + 8 <= body.length; first = false) {
    const code = view.getUint16(at, true)
    if (first && code !== 1) break
    at += 8 + view.getUint32(at + 4, true)
    if (code === 0 && at === body.length) return
  }
  if (body.length > 0) report('XC_HVM_CONTEXT_CONTENT', `at byte ${Math.min(at, body.length)} of ${record.length}`)
}
