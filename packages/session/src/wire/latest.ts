/** Sends how things are: while one is under way any number of changes become one more. Failures are seen by whoever reads from the wire. */
export class Latest {
  readonly #send: () => Promise<void>
  #busy = false
  #again = false

  constructor(send: () => Promise<void>) {
    this.#send = send
  }

  post(): void {
    this.#again = true
    if (!this.#busy) void this.#run()
  }

  async #run(): Promise<void> {
    this.#busy = true
    while (this.#again) {
      this.#again = false
      await this.#send().catch(() => undefined)
    }
    this.#busy = false
  }
}
