/** How fast a peer is found to be gone. */
export interface ReplicationTimes {
  /** How often each side says that it lives. */
  readonly heartbeatMs?: number | undefined
  /** Silence after which the peer is taken for lost. */
  readonly failureMs?: number | undefined
  /** How long a peer that lives may take to acknowledge an epoch. */
  readonly stalledMs?: number | undefined
}

const HEARTBEAT_MS = 100
/** Heartbeats that may be missed. */
const MISSED = 3
const STALLED_MS = 10_000

/** Fills in defaults: 3 heartbeats of 100 ms. */
export function times({ heartbeatMs = HEARTBEAT_MS, failureMs = MISSED * heartbeatMs, stalledMs = Math.max(STALLED_MS, failureMs) }: ReplicationTimes): { readonly heartbeatMs: number; readonly silenceMs: number; readonly stalledMs: number } {
  return { heartbeatMs, silenceMs: failureMs, stalledMs }
}
