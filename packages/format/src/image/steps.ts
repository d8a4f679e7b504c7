import { isLater, type Soon } from '../bytes/soon.ts'
import type { Item, StopItem } from './item.ts'

/**
 * A part of a walk, which other parts are made of. It yields items, and promises that have to be kept before it can go on: an async
 * generator within another would take a dozen turns of the event loop for each item, where most bytes are at hand at once.
 */
export type Steps<R = StopItem> = Generator<Item | Promise<unknown>, R, unknown>

/** The value, waited for only where that must be. */
export function* there<T>(value: Soon<T>): Generator<Promise<unknown>, T, unknown> {
  return isLater(value) ? ((yield value) as T) : value
}

/** Takes the steps; those who wait are waited for, the items are given. */
export async function* itemsOf(steps: Steps): AsyncGenerator<Item, void, void> {
  let step = steps.next()
  while (step.done !== true) {
    if (isLater(step.value)) {
      step = steps.next(await step.value)
    } else {
      yield step.value
      step = steps.next()
    }
  }
  yield step.value
}
