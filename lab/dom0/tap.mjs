// Checks of a scenario, told as TAP: a line each, a plan at the end, and an exit code.
import { appendFileSync } from 'node:fs'

const results = '/scratch/out'

/** A check that does not hold. */
export class CheckFailed extends Error {
  name = 'CheckFailed'
}

/** @param {unknown} holds @param {string} what is wrong when it does not */
export function must(holds, what) {
  if (!holds) throw new CheckFailed(what)
}

export class Tap {
  #count = 0
  #failed = 0
  #started = performance.now()

  /** A remark in the log. */
  note(text) {
    for (const line of String(text).trimEnd().split('\n')) console.log(`# ${line}`)
  }

  /**
   * Runs one check. It fails by throwing; those after it run all the same.
   *
   * @param {string} title what a user sees when it holds
   * @param {() => unknown} body
   * @returns {Promise<boolean>} whether it held
   */
  async check(title, body) {
    const began = performance.now(), number = ++this.#count
    try {
      await body()
      console.log(`ok ${number} - ${title} # ${((performance.now() - began) / 1000).toFixed(1)} s`)
      return true
    } catch (error) {
      this.#failed++
      console.log(`not ok ${number} - ${title}`)
      this.note(error instanceof CheckFailed ? error.message : error.stack)
      return false
    }
  }

  /** A check that cannot be made here, and why. */
  skip(title, why) {
    console.log(`ok ${++this.#count} - ${title} # SKIP ${why}`)
  }

  /** One line of a table that the lab prints at the end. */
  row(table, cells) {
    appendFileSync(`${results}/rows.jsonl`, `${JSON.stringify({ table, cells })}\n`)
  }

  /** Prints the plan and sets the exit code. */
  end() {
    console.log(`1..${this.#count}`)
    this.note(`${this.#count - this.#failed} of ${this.#count} hold, ${((performance.now() - this.#started) / 1000).toFixed(0)} s`)
    process.exitCode = this.#failed === 0 && this.#count > 0 ? 0 : 1
  }
}
