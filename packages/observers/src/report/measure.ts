import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { Series, type Point } from './series.ts'

export type Unit = 'ms' | 'pages' | 'bytes' | 'count'

/** What was measured, as far as it is kept. */
export interface Summary {
  readonly count: number
  readonly median: number
  /** 99 of 100 are not above it. */
  readonly p99: number
  readonly most: number
}

/** A thousandth of a unit is told apart, with three digits. */
const FINE = 1000

/** One thing that is measured over and over: its course, and how its values are spread. Memory does not grow with the number of values. */
export class Measure {
  readonly #series = new Series()
  readonly #spread: RecordableHistogram = createHistogram({ figures: 3 })
  #most = 0
  #count = 0

  /** @param value not negative; anything else is passed over */
  add(at: number, value: number): void {
    if (!(value >= 0 && value < Number.MAX_SAFE_INTEGER / FINE)) return
    this.#series.add(at, value)
    this.#spread.record(Math.max(1, Math.round(value * FINE)))
    this.#most = Math.max(this.#most, value)
    this.#count += 1
  }

  points(): readonly Point[] {
    return this.#series.points()
  }

  /** Undefined before the first value. */
  get summary(): Summary | undefined {
    if (this.#count === 0) return undefined
    const at = (percent: number): number => Math.min(this.#most, Number(this.#spread.percentile(percent)) / FINE)
    return { count: this.#count, median: at(50), p99: at(99), most: this.#most }
  }
}
