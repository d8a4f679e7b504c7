import { SessionError } from './session-error.ts'

const MIB = 1024 * 1024

interface Limit {
  readonly fallback: number
  readonly least: number
  readonly most: number
  readonly unit: 'ms' | 'bytes' | 'bytes/s'
  /** Where the default comes from. */
  readonly source: string
}

/** Every limit and time of a session. */
export const sessionLimits = {
  handshakeMs: { fallback: 30_000, least: 1, most: 600_000, unit: 'ms', source: 'a greeting is two small frames; half a minute is a slow ssh login to a busy host' },
  heartbeatMs: { fallback: 1_000, least: 1, most: 60_000, unit: 'ms', source: 'ten heartbeats until silence; replication sets its own' },
  silenceMs: { fallback: 10_000, least: 2, most: 600_000, unit: 'ms', source: 'longer than a switch takes to find a new way (spanning tree: 6 s)' },
  resumeWaitMs: { fallback: 30_000, least: 0, most: 3_600_000, unit: 'ms', source: 'a guest that waits for longer is noticed; 0 never waits' },
  redialMs: { fallback: 200, least: 1, most: 60_000, unit: 'ms', source: 'a dial that is refused costs little' },
  batchBytes: { fallback: MIB, least: 4096, most: 4 * MIB, unit: 'bytes', source: 'a quarter of what the saver writes at once (1024 pages)' },
  windowBytes: { fallback: 8 * MIB, least: 64 * 1024, most: 256 * MIB, unit: 'bytes', source: '10 Gbit/s with 6 ms there and back' },
  bandwidthBytes: { fallback: 0, least: 0, most: Number.MAX_SAFE_INTEGER, unit: 'bytes/s', source: '0: as fast as it goes' },
} as const satisfies Readonly<Record<string, Limit>>

export type SessionLimits = { readonly [K in keyof typeof sessionLimits]: number }

/**
 * Fills in what was not given.
 *
 * @throws SessionError SESSION_OPTION
 */
export function sessionOptions(given: Partial<SessionLimits> = {}): SessionLimits {
  const filled = Object.fromEntries(Object.entries(sessionLimits).map(([name, limit]) => [name, checked(name, limit, given[name as keyof SessionLimits])])) as SessionLimits
  if (filled.silenceMs < 2 * filled.heartbeatMs) throw new SessionError('SESSION_OPTION', 'silenceMs has to be at least twice heartbeatMs')
  if (filled.windowBytes < filled.batchBytes) throw new SessionError('SESSION_OPTION', 'windowBytes has to be at least batchBytes')
  return filled
}

function checked(name: string, { fallback, least, most, unit }: Limit, value = fallback): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new SessionError('SESSION_OPTION', `${name} is ${value}`, { hint: `a whole number from ${least} to ${most} (${unit})` })
}
