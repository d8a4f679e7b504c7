import type { EpochFacts } from '@xen-replication/plugin-api'

/** Part of the time that a guest may stand for checkpoints. */
const PAUSE_SHARE = 0.1
/** How fast the interval grows when nothing waits for it. */
const GROWTH = 1.5

/**
 * The next interval in milliseconds, out of what the last epoch was like. Output that waits makes it shorter, since it is held for an interval; a
 * guest that stands still for a large part of the time, or a link that needs longer than an interval, makes it longer.
 *
 * @param last undefined before the first epoch.
 */
export function nextInterval({ least, most }: { readonly least: number; readonly most: number }, interval: number, last: EpochFacts | undefined): number {
  if (last === undefined) return most
  const bearable = Math.max(last.pauseMs / PAUSE_SHARE, last.latencyMs)
  const wanted = last.outputs > 0 ? interval / 2 : interval * GROWTH
  return Math.min(most, Math.max(least, bearable, wanted))
}

/** When the checkpoint after the one that was due at `last` is due, in milliseconds; never longer ago than an interval. */
export function nextDue(last: number, interval: number, now: number): number {
  const due = last + interval
  return now - due > interval ? now : due
}
