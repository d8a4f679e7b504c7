import type { PrimaryLink } from './primary.ts'

/** A peer that takes everything, keeps nothing and agrees at once: what checkpoints cost without a network. */
export function blackholeLink(): PrimaryLink & { readonly id: string } {
  const gone = new AbortController()
  let left = false
  return {
    id: 'blackhole',
    signal: gone.signal,
    sink: () => ({ write: () => Promise.resolve() }),
    endEpoch: () => Promise.resolve(),
    say: (word) => {
      if (word === 'leave') left = true
      return Promise.resolve()
    },
    next: () => Promise.resolve(left ? 'left' : 'stored'),
    heard: () => new Promise(() => undefined),
    take: () => undefined,
    cut: (error) => gone.abort(error),
  }
}
