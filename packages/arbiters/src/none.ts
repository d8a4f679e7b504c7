import type { AbortSignalLike, Arbiter, ArbiterContribution, Verdict } from '@xen-replication/plugin-api'

const REASON = 'there is no arbiter, so nobody takes over by itself; name one with --arbiter, or make sure that the other side is off and use `xr failover`'

/** `none`: nobody takes over by itself. */
export const noArbiter: ArbiterContribution = {
  summary: 'nobody takes over by itself',
  open: () => Promise.resolve(arbiter),
}

const arbiter: Arbiter = {
  claim: (_claim, signal) => whenGoing<Verdict>(signal, { answer: 'unknown', reason: REASON }),
  holds: (_grant, signal) => whenGoing(signal, false),
  close: () => Promise.resolve(),
}

function whenGoing<T>(signal: AbortSignalLike, value: T): Promise<T> {
  return new Promise((resolve) => {
    if (signal.aborted) throw signal.reason // a rejection
    resolve(value)
  })
}
