import type { Flow } from './flow.ts'

/** All flows by name, as many as are allowed: when there is no room, the oldest one in which nothing waits is forgotten. */
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
    for (const [name, flow] of this.#flows) if (flow.idle) return this.#flows.delete(name)
    return false
  }
}
