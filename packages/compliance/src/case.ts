import { isXrError } from '@xen-replication/errors'
import assert from 'node:assert/strict'

/** One promise of a port, checked. Any test runner fits: `for (const c of cases) it(c.name, () => c.run(open))`. */
export interface Case<Bench> {
  /** What a user sees, as a sentence without its end. */
  readonly name: string
  /**
   * @param open makes a fresh bench.
   * @param limitMs longest time it may take, in milliseconds; 20,000. What hangs is broken.
   * @throws AssertionError when the promise is broken
   */
  run(open: () => Promise<Bench>, limitMs?: number): Promise<void>
}

/** What a case works on; whoever wrote the implementation makes it. */
export interface Bench {
  /** Puts everything away that the bench has opened. */
  close(): Promise<void>
}

const LIMIT_MS = 20_000

/** A case that opens a bench, works on it and closes it, come what may. */
export function check<B extends Bench>(name: string, body: (bench: B) => Promise<void>): Case<B> {
  return {
    name,
    run: async (open, limitMs = LIMIT_MS) => {
      const bench = await open()
      try {
        await within(limitMs, body(bench), name)
      } finally {
        await within(limitMs, bench.close(), `closing the bench after: ${name}`)
      }
    },
  }
}

/** @throws AssertionError when it takes longer than `ms`. */
export async function within<T>(ms: number, work: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new assert.AssertionError({ message: `not done after ${ms} ms: ${what}` })), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Whether it is settled after `ms` milliseconds. */
export async function settles(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  const done = work.then(() => true, () => true)
  try {
    return await Promise.race([done, late])
  } finally {
    clearTimeout(timer)
  }
}

/** @throws AssertionError unless `work` fails with one of the codes. */
export async function failsWith(work: Promise<unknown> | (() => Promise<unknown>), codes: readonly string[], what: string): Promise<void> {
  const outcome = await (typeof work === 'function' ? work() : work).then(
    () => 'nothing',
    (error: unknown) => (isXrError(error) ? error.code : String(error)),
  )
  assert.ok(codes.includes(outcome), `${what}: expected ${codes.join(' or ')}, got ${outcome}`)
}
