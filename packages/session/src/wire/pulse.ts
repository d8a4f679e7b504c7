import type { Clock } from '@xen-replication/plugin-api'
import type { BodyOf } from '../frame/table.ts'
import type { SessionObserver } from '../session-event.ts'
import { sessionOptions, type SessionLimits } from '../session-options.ts'
import type { Wire } from './wire.ts'

/** Signs of life, both ways: whatever link a session has, and whatever times hold. */
export class Pulse {
  readonly #clock: Clock
  readonly #observe: SessionObserver
  #limits: SessionLimits
  #peerNow = 0

  constructor(clock: Clock, limits: SessionLimits, observe: SessionObserver) {
    this.#clock = clock
    this.#limits = limits
    this.#observe = observe
  }

  /** Other times hold from now on. @throws SessionError SESSION_OPTION */
  retime(heartbeatMs: number, silenceMs: number, wire: Wire): void {
    this.#limits = sessionOptions({ ...this.#limits, heartbeatMs, silenceMs })
    this.over(wire)
  }

  /** Begins on a link. */
  over(wire: Wire): void {
    const { heartbeatMs, silenceMs } = this.#limits
    wire.keepAlive(heartbeatMs, silenceMs, () => wire.send('heartbeat', { now: Math.floor(this.#clock.now()), echo: this.#peerNow }))
  }

  heard({ now, echo }: BodyOf<'heartbeat'>): void {
    this.#peerNow = now
    if (echo > 0) this.#observe({ type: 'round-trip', ms: this.#clock.now() - echo })
  }
}
