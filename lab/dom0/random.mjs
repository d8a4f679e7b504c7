/** Numbers from 0 to 1 that a seed repeats. Source: mulberry32. */
export function* numbers(state) {
  for (;;) {
    state = (state + 0x6d2b79f5) | 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    yield ((word ^ (word >>> 14)) >>> 0) / 2 ** 32
  }
}
