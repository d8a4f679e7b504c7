import type { DomId } from '@xen-replication/hypervisor'

/** Something that was taken from the host and not given back. */
export interface Leak {
  readonly domId: DomId
  readonly what: 'mapping' | 'log-dirty' | 'device-model-log-dirty' | 'paused' | 'suspended' | 'handle'
  readonly count: number
}

/** Counts what callers hold. */
export class Ledger {
  readonly #held = new Map<string, number>()

  take(domId: number, what: Leak['what']): void {
    const key = `${domId} ${what}`
    this.#held.set(key, (this.#held.get(key) ?? 0) + 1)
  }

  giveBack(domId: number, what: Leak['what']): void {
    const key = `${domId} ${what}`
    const left = (this.#held.get(key) ?? 0) - 1
    if (left > 0) this.#held.set(key, left)
    else this.#held.delete(key)
  }

  /** As {@link take}, but never counted twice. */
  note(domId: number, what: Leak['what']): void {
    this.#held.set(`${domId} ${what}`, 1)
  }

  /** The guest is gone, and with it whatever was held of it but handles and mappings. */
  forget(domId: number): void {
    for (const what of ['log-dirty', 'device-model-log-dirty', 'paused', 'suspended']) this.#held.delete(`${domId} ${what}`)
  }

  list(): Leak[] {
    return [...this.#held].map(([key, count]) => {
      const [domId, what] = key.split(' ') as [string, Leak['what']]
      return { domId: Number(domId) as DomId, what, count }
    })
  }
}
