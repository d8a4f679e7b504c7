import type { AbortSignalLike, Clock } from '@xen-replication/plugin-api'

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** Time that goes on by itself as soon as nothing else is left to do, and as fast as that. */
export class VirtualClock implements Clock {
  readonly #sleepers: Sleeper[] = []
  #now = 1000
  #due = false

  now(): number {
    return this.#now
  }

  /** Work that takes time and does nothing else. */
  spend(ms: number): void {
    this.#now += ms
  }

  sleep(ms: number, signal?: AbortSignalLike): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { at: this.#now + ms, wake: () => (signal?.removeEventListener('abort', stop), resolve()) }
      const stop = (): void => {
        const place = this.#sleepers.indexOf(sleeper)
        if (place >= 0) this.#sleepers.splice(place, 1)
        reject(new DOMException('aborted', 'AbortError'))
      }
      if (signal?.aborted === true) return stop()
      signal?.addEventListener('abort', stop, { once: true })
      this.#sleepers.push(sleeper)
      this.#arm()
    })
  }

  #arm(): void {
    if (this.#due || this.#sleepers.length === 0) return
    this.#due = true
    setImmediate(() => {
      this.#due = false
      this.#sleepers.sort((a, b) => a.at - b.at)
      const first = this.#sleepers.shift()
      if (first !== undefined) {
        this.#now = Math.max(this.#now, first.at)
        first.wake()
      }
      this.#arm()
    })
  }
}
