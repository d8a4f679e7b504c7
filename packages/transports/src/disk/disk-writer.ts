import type { Channel } from '@xen-replication/plugin-api'
import { closedHere, failure, oneWay } from '../channel/link-failure.ts'
import { writeAll } from './disk-io.ts'

/** What becomes of what was written. */
export interface Fate {
  /** All of it is to be kept; makes it safe and closes it. */
  keep(): Promise<void>
  /** It was not ended: nothing of it is to be left, where that is possible. */
  abandon(): Promise<void>
}

/** A channel into a file or device. Parts are written from where they lie. */
export class DiskWriter implements Channel {
  readonly #fd: number
  readonly #where: string
  readonly #fate: Fate
  #busy: Promise<void> = Promise.resolve()
  #failed: Error | undefined
  #ending: Promise<void> | undefined
  #kept = false
  #closing: Promise<void> | undefined

  constructor(fd: number, where: string, fate: Fate) {
    this.#fd = fd
    this.#where = where
    this.#fate = fate
  }

  async write(parts: readonly Uint8Array[]): Promise<void> {
    if (this.#ending !== undefined || this.#closing !== undefined) throw closedHere(this.#where)
    this.#busy = this.#attempt(() => writeAll(this.#fd, parts))
    await this.#busy
    if (this.#closing !== undefined) throw closedHere(this.#where)
  }

  /** A file that is kept has ended well; there is nothing to read before. */
  read(): Promise<Uint8Array | undefined> | undefined {
    if (this.#closing !== undefined) return Promise.reject(closedHere(this.#where))
    return this.#kept ? undefined : Promise.reject(oneWay(this.#where, 'read'))
  }

  end(): Promise<void> {
    if (this.#closing !== undefined && this.#ending === undefined) return Promise.reject(closedHere(this.#where))
    return (this.#ending ??= this.#keep())
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#letGo())
  }

  async #keep(): Promise<void> {
    await this.#busy
    await this.#attempt(() => this.#fate.keep())
    this.#kept = true
  }

  async #letGo(): Promise<void> {
    await (this.#ending ?? this.#busy).catch(() => undefined)
    if (!this.#kept) await this.#fate.abandon().catch(() => undefined)
  }

  /** After one failure nothing may follow: there would be a hole. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    if (this.#failed !== undefined) throw this.#failed
    try {
      await work()
    } catch (error) {
      this.#failed = failure(error, this.#where)
      throw this.#failed
    }
  }
}
