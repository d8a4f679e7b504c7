/** Time, from outside, so that a simulation can own it. */
export interface Clock {
  /** Milliseconds that only ever grow; fractions where the clock has them. */
  now(): number
  /** @throws AbortError when `signal` aborts first. */
  sleep(ms: number, signal?: AbortSignalLike): Promise<void>
}

/** The part of AbortSignal that ports use; any AbortSignal fits. */
export interface AbortSignalLike {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}
