import type { Weight } from './clause.ts'

/** Something that happened. */
export interface StoryItem {
  /** Milliseconds since 1970. */
  readonly at: number
  /** Which side tells it; empty where there is only one. */
  readonly side: string
  readonly text: string
  readonly weight: Weight
}

/** Items kept from the beginning and from the end. */
const FIRST = 200
const LAST = 400
/** How often the same thing is told. */
const REPEATS = 20

/** What happened, in bounded memory: the beginning, the end, and how much was left out between them. */
export class Story {
  readonly #first: StoryItem[] = []
  #last: StoryItem[] = []
  readonly #told = new Map<string, number>()
  #leftOut = 0

  tell(item: StoryItem): void {
    const key = `${item.side} ${item.text}`
    const times = (this.#told.get(key) ?? 0) + 1
    if (this.#told.size < FIRST + LAST || this.#told.has(key)) this.#told.set(key, times)
    if (times > REPEATS) this.#leftOut += 1
    else if (this.#first.length < FIRST) this.#first.push(item)
    else this.#keep(item)
  }

  /** In the order of time. */
  get items(): readonly StoryItem[] {
    return [...this.#first, ...this.#last].toSorted((a, b) => a.at - b.at)
  }

  get leftOut(): number {
    return this.#leftOut
  }

  #keep(item: StoryItem): void {
    this.#last.push(item)
    if (this.#last.length <= 2 * LAST) return
    this.#leftOut += LAST
    this.#last = this.#last.slice(LAST)
  }
}
