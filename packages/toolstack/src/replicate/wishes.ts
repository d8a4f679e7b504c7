import type { AbortSignalLike } from '@xen-replication/hypervisor'

/** What an operator may ask of a replication that is under way. */
export type Wish = 'stop' | 'failover'

/** What operators have asked for and nobody has seen to yet. */
export class Wishes {
  #asked: Wish[] = []
  #waiting: (() => void)[] = []

  /** Asks; the same thing twice counts once. */
  ask(wish: Wish): void {
    if (!this.#asked.includes(wish)) this.#asked.push(wish)
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** What was asked has lost its meaning. */
  forget(wish: Wish): void {
    this.#asked = this.#asked.filter((one) => one !== wish)
  }

  /** The first wish that can be seen to now; it is no wish any more then. */
  take(fits: (wish: Wish) => boolean = () => true): Wish | undefined {
    const wish = this.#asked.find(fits)
    this.#asked = this.#asked.filter((one) => one !== wish)
    return wish
  }

  /** What comes first: the result of `work`, or a wish; it stays one where the result is first. */
  race<T>(work: Promise<T>, signal: AbortSignalLike, fits?: (wish: Wish) => boolean): Promise<T | Wish> {
    return new Promise((resolve, reject) => {
      const over = { now: false }
      const settle = (how: () => void): void => {
        if (!over.now) how()
        over.now = true
      }
      work.then((result) => settle(() => resolve(result)), (error: unknown) => settle(() => reject(asError(error))))
      this.next(signal, (wish) => !over.now && (fits?.(wish) ?? true)).then((wish) => (over.now ? this.ask(wish) : settle(() => resolve(wish))), () => undefined)
    })
  }

  /** Waits for one. @throws the reason of `signal` */
  async next(signal: AbortSignalLike, fits?: (wish: Wish) => boolean): Promise<Wish> {
    for (;;) {
      if (signal.aborted) throw signal.reason
      const wish = this.take(fits)
      if (wish !== undefined) return wish
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal.removeEventListener('abort', wake)
          this.#waiting = this.#waiting.filter((one) => one !== wake)
          resolve()
        }
        this.#waiting.push(wake)
        signal.addEventListener('abort', wake, { once: true })
      })
    }
  }
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)))
