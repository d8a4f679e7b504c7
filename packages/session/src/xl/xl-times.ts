import type { Clock } from '@xen-replication/plugin-api'

/** How long each word may be waited for, in ms. `xl` itself waits for ever; so a silent peer would. */
export interface XlTimes {
  /** A login that asks for a password. */
  readonly bannerMs?: number
  /** How long nothing of the stream may go through: longer than xl waits for a guest to suspend itself, twice 60 s. */
  readonly streamMs?: number
  /** A device model that has to be started, on a host that is busy. */
  readonly readyMs?: number
  /** Everything after that. */
  readonly answerMs?: number
}

export const xlTimes = { bannerMs: 120_000, streamMs: 180_000, readyMs: 300_000, answerMs: 60_000 } as const satisfies XlTimes

/** What both sides of an `xl` conversation need. */
export interface XlPorts {
  readonly clock: Clock
  readonly times?: XlTimes
}
