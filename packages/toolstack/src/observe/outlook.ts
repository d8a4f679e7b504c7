import { PAGE_SIZE } from '@xen-replication/format'
import type { SaveEvent } from '@xen-replication/libxc-stream'
import type { Outlook } from './tool-events.ts'

/** A round that leaves more than this part of what the last one left does not help much. */
const SHRINKS = 0.8
/** Xen stops at fewer pages than this anyway. */
const FEW_PAGES = 50

/**
 * Watches a live save and says what it is heading for.
 *
 * @param now milliseconds.
 * @returns to be told every event of the save; answers when a round is over: what the guest wrote meanwhile is known, and so from the second round on
 *   whether another one helps. The second is judged by the rates alone.
 */
export function outlookWatch(now: () => number): (event: SaveEvent) => Outlook | undefined {
  let began = now()
  let bytesAtBegin = 0
  let bytes = 0
  let before = Infinity
  let live = true
  return (event) => {
    if (event.type === 'pages' || event.type === 'pass-end') bytes = event.bytes
    if (event.type === 'pass-begin') live = event.pass === 'live'
    if (event.type !== 'dirty' || !live) return undefined
    const at = now()
    const seconds = Math.max(at - began, 0.001) / 1000
    const dirty = event.pages * PAGE_SIZE
    const sendRate = (bytes - bytesAtBegin) / seconds
    const dirtyRate = dirty / seconds
    const shrinks = event.pages <= before * SHRINKS && dirtyRate <= sendRate * SHRINKS
    const outlook: Outlook = {
      round: event.round,
      dirtyRate,
      sendRate,
      pauseMs: sendRate > 0 ? (dirty / sendRate) * 1000 : 0,
      trend: event.pages < FEW_PAGES || shrinks ? 'shrinking' : 'not-shrinking',
    }
    ;[began, bytesAtBegin, before] = [at, bytes, event.pages]
    return outlook
  }
}
