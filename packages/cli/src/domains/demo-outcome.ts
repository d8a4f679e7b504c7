import type { DemoTimeline } from './demo-timeline.ts'

/** What came of the demonstration, in milliseconds and requests. */
export interface DemoOutcome {
  /** Epochs that the backup had acknowledged. */
  readonly epochs: number
  /** From the kill until the backup found the primary lost, was granted the guest, and ran it. */
  readonly detectMs: number
  readonly grantedMs: number
  readonly runsMs: number
  /** Answered before the kill, and when the demonstration ended. */
  readonly answeredBefore: number
  readonly answered: number
  /** Requests that the guest knew of when it began to run at the backup. */
  readonly knownThere: number
  /** Answered requests of which the guest knew nothing at the backup. */
  readonly lost: number
  /** Requests that the guest had served, were not answered, and are undone. */
  readonly undone: number
  /** Requests that the guest had served, whose answers died with the host; the client asks again. */
  readonly unanswered: number
  /** The longest time in which the client got no answer. */
  readonly longestGapMs: number
}

/** @param before what the client knew when the primary died */
export function outcomeOf(timeline: DemoTimeline, before: { readonly answered: number; readonly last: number }, epochs: number): DemoOutcome {
  const { client, served } = timeline
  const knownThere = timeline.knownThere ?? 0
  const since = (moment: 'lost' | 'granted' | 'runs'): number => (timeline.at(moment) ?? NaN) - (timeline.at('killed') ?? NaN)
  return {
    epochs,
    detectMs: since('lost'),
    grantedMs: since('granted'),
    runsMs: since('runs'),
    answeredBefore: before.answered,
    answered: client.answered,
    knownThere,
    lost: client.lostAt(knownThere, before.last),
    undone: Math.max(0, served - knownThere),
    unanswered: client.unanswered,
    longestGapMs: client.longestGapMs,
  }
}
