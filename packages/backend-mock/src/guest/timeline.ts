import type { ShutdownReason } from '@xen-replication/hypervisor'

/** Something that happens to a guest, in the order in which it does. */
export interface GuestEvent {
  /** When, in milliseconds of the host's clock. */
  readonly at: number
  readonly what: 'pause' | 'unpause' | 'suspend' | 'resume' | 'resume-cancelled' | 'seen' | Exclude<ShutdownReason, 'suspend'>
}

/** How long a guest has run, and whether it does. */
export interface Timeline {
  readonly paused: boolean
  readonly shutdown: ShutdownReason | undefined
  /** Time the guest has run up to `at`, in microseconds. */
  readonly ranUs: number
  readonly at: number
}

/** A guest that nobody looks at for so long stands still for the rest, in milliseconds: nobody wants to wait while it catches up. */
const UNSEEN_LIMIT_MS = 600_000

export const runs = ({ paused, shutdown }: Timeline): boolean => !paused && shutdown === undefined

/** Time a guest has run at `now`, in microseconds. */
export function ranAt(timeline: Timeline, now: number): number {
  if (!runs(timeline)) return timeline.ranUs
  return timeline.ranUs + Math.round(Math.min(Math.max(now - timeline.at, 0), UNSEEN_LIMIT_MS) * 1000)
}

/** The timeline after an event. What is already so stays so. */
export function after(timeline: Timeline, { at, what }: GuestEvent): Timeline {
  const then = { ...timeline, ranUs: ranAt(timeline, at), at: Math.max(at, timeline.at) }
  switch (what) {
    case 'pause':
      return { ...then, paused: true }
    case 'unpause':
      return { ...then, paused: false }
    case 'resume':
    case 'resume-cancelled':
      return { ...then, shutdown: then.shutdown === 'suspend' ? undefined : then.shutdown }
    case 'seen':
      return then
    case 'crash':
      return { ...then, shutdown: what }
    default:
      return { ...then, shutdown: then.shutdown ?? what }
  }
}
