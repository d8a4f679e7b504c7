import { LinkError, type Channel, type Clock } from '@xen-replication/plugin-api'
import type { Emit } from '../observe/fan-out.ts'
import type { Links } from './links.ts'
import { leadsBack } from './redial.ts'

/** How long to go on where nobody listens yet, in milliseconds: the other command may have been typed a moment later. */
const PATIENCE_MS = 10_000
/** From one attempt to the next, in milliseconds. */
const AGAIN_MS = 100
/** What the system says where nobody listens: no such port, no such socket. */
const NOBODY: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ENOENT'])

export interface Patience {
  readonly links: Links
  readonly clock: Clock
  readonly emit: Emit
  readonly signal: AbortSignal
  /** Milliseconds; 0 tries once. */
  readonly patienceMs?: number | undefined
}

/**
 * Dials, and goes on doing so for a while where nobody listens yet. A host that has no such name or cannot be reached is told at once.
 *
 * @throws as `Links.dial()`; what the last attempt threw
 */
export async function dialPatiently(url: string, { links, clock, emit, signal, patienceMs = PATIENCE_MS }: Patience): Promise<Channel> {
  const until = clock.now() + patienceMs
  for (let told = false; ; told = true) {
    try {
      return await links.dial(url, signal)
    } catch (error) {
      if (!nobodyYet(error, url) || clock.now() >= until) throw error
      if (!told) emit('link.waiting', { url, why: 'nobody-listens', waitMs: patienceMs })
    }
    await clock.sleep(AGAIN_MS, signal)
  }
}

const nobodyYet = (error: unknown, url: string): boolean =>
  leadsBack(url) && error instanceof LinkError && error.code === 'LINK_REFUSED' && error.cause instanceof Error && 'code' in error.cause && NOBODY.has(error.cause.code)
