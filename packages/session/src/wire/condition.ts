/** Lets callers wait until something is so. */
export class Condition {
  #waiting: (() => void)[] = []

  /** Something has changed: those who wait look again. */
  notify(): void {
    const woken = this.#waiting
    this.#waiting = []
    for (const wake of woken) wake()
  }

  /** @throws whatever `test` throws */
  async until(test: () => boolean): Promise<void> {
    while (!test()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}
