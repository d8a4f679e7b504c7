import type { DirtyPages } from '@xen-replication/hypervisor'
import { PfnSet } from './pfn-set.ts'

/** Which pages were written, while somebody wants to know. */
export class DirtyBits {
  readonly #set = new PfnSet()
  #on = false
  #out: Uint8Array | undefined

  get on(): boolean {
    return this.#on
  }

  turn(state: 'on' | 'off'): void {
    this.#on = state === 'on'
    this.#set.clear()
  }

  mark(pfn: number): void {
    if (this.#on) this.#set.add(pfn)
  }

  /** A bitmap of `pages` bits, valid until the next call. The estimate counts pages beyond them too. */
  peek(pages: number): DirtyPages {
    this.#out = this.#set.bitmap(pages, this.#out)
    return { bitmap: this.#out, estimate: this.#set.size }
  }

  take(pages: number): DirtyPages {
    const taken = this.peek(pages)
    this.#set.clear()
    return taken
  }
}
