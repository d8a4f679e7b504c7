import { setImmediate } from 'node:timers/promises'
import type { Clock } from '@xen-replication/plugin-api'

/** A clock that stands until it is turned. */
export class TurnedClock implements Clock {
  #now = 0
  #sleepers: { readonly at: number; readonly wake: () => void }[] = []

  now(): number {
    return this.#now
  }

  sleep(ms: number, signal?: Parameters<Clock['sleep']>[1]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(reasonOf(signal))
      const sleeper = { at: this.#now + ms, wake: resolve }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((one) => one !== sleeper)
        reject(reasonOf(signal))
      }, { once: true })
    })
  }

  /** Lets so much time go by; whoever wakes does what there is to do before the next one does. */
  async turn(ms: number): Promise<void> {
    const until = this.#now + ms
    for (;;) {
      await setImmediate()
      const next = this.#sleepers.toSorted((a, b) => a.at - b.at)[0]
      if (next === undefined || next.at > until) break
      this.#sleepers = this.#sleepers.filter((one) => one !== next)
      this.#now = Math.max(this.#now, next.at)
      next.wake()
    }
    this.#now = until
  }
}

const reasonOf = ({ reason }: { readonly reason?: unknown }): Error => (reason instanceof Error ? reason : new Error('called off', { cause: reason }))
