import { LinkError, type AbortSignalLike, type Channel } from '@xen-replication/plugin-api'
import { memoryLink, type Faults, type MemoryLink } from './memory-link.ts'

/** Where a sender dials and a receiver listens: makes link after link, each with faults of its own. */
export class Exchange {
  readonly links: MemoryLink[] = []
  readonly #faults: (n: number) => readonly [Faults, Faults]
  readonly #calls: Channel[] = []
  #waiting: ((channel: Channel) => void)[] = []
  /** Nobody gets through. */
  down = false

  constructor(faults: (n: number) => readonly [Faults, Faults] = () => [{}, {}]) {
    this.#faults = faults
  }

  dial(): Promise<Channel> {
    if (this.down) return Promise.reject(new LinkError('LINK_REFUSED', 'the exchange is down'))
    const link = memoryLink(...this.#faults(this.links.length))
    this.links.push(link)
    this.call(link.receiver)
    return Promise.resolve(link.sender)
  }

  /** Somebody else calls. */
  call(channel: Channel): void {
    const waiter = this.#waiting.shift()
    if (waiter === undefined) this.#calls.push(channel)
    else waiter(channel)
  }

  accept(signal?: AbortSignalLike): Promise<Channel> {
    const call = this.#calls.shift()
    if (call !== undefined) return Promise.resolve(call)
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve)
      signal?.addEventListener('abort', () => {
        this.#waiting = this.#waiting.filter((one) => one !== resolve)
        reject(new Error('aborted'))
      })
    })
  }
}
