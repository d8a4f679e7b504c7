import type { Flow } from './flow.ts'

/** How many flows are looked at for one to forget; where something waits in all of them, others are looked at next time. */
const LOOKED_AT = 64

/** All flows by name, as many as are allowed: when there is no room, an old one in which nothing waits is forgotten. */
export class Flows {
  readonly #flows = new Map<string, Flow>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  /** @returns undefined when there is no room */
  get(name: string, make: () => Flow): Flow | undefined {
    const known = this.#flows.get(name)
    if (known !== undefined) return known
    if (this.#flows.size >= this.#most && !this.#forgetOne()) return undefined
    const made = make()
    this.#flows.set(name, made)
    return made
  }

  all(): IterableIterator<Flow> {
    return this.#flows.values()
  }

  #forgetOne(): boolean {
    let looks = LOOKED_AT
    for (const [name, flow] of this.#flows) {
      this.#flows.delete(name)
      if (flow.idle) return true
      this.#flows.set(name, flow)
      looks -= 1
      if (looks === 0) break
    }
    return false
  }
}
