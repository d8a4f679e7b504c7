/** What the kernel's plug qdisc does with packets, by the letter of linux net/sched/sch_plug.c. */
export class PlugModel {
  readonly #queue: number[] = []
  #current = 0
  #last = 0
  #toRelease = 0
  #open = false
  readonly out: number[] = []

  get waiting(): number {
    return this.#queue.length
  }

  enqueue(packet: number): void {
    this.#queue.push(packet)
    if (!this.#open) this.#current += 1
    this.#dequeue()
  }

  change(action: 'block' | 'release' | 'release_indefinite'): void {
    if (action === 'block') {
      this.#last = this.#current
      this.#current = 0
      this.#open = false
    } else if (action === 'release') {
      this.#toRelease += this.#last
      this.#last = 0
    } else {
      this.#open = true
      this.#toRelease = this.#last = this.#current = 0
    }
    this.#dequeue()
  }

  #dequeue(): void {
    while (this.#queue.length > 0 && (this.#open || this.#toRelease > 0)) {
      if (!this.#open) this.#toRelease -= 1
      this.out.push(this.#queue.shift() as number)
    }
  }
}
