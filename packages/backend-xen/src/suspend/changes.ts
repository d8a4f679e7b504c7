import type { AbortSignalLike, Clock } from '@xen-replication/hypervisor'
import { reasonOf } from '../clock.ts'
import type { Xenstore } from '../xenstore/xenstore.ts'
import { LOOK_MS } from './times.ts'

/**
 * Waits until `done` says yes, which it is asked whenever a node changes and now and then without.
 *
 * @returns whether it did within `ms` milliseconds.
 * @throws the signal's reason; what `done` throws
 */
export async function changes(store: Xenstore, clock: Clock, path: string, done: () => Promise<boolean>, ms: number, signal?: AbortSignalLike): Promise<boolean> {
  const end = clock.now() + ms
  let wake: () => void = () => undefined
  let fired = false
  const stop = await store.watch(path, () => {
    fired = true
    wake()
  })
  try {
    for (;;) {
      fired = false
      if (await done()) return true
      const left = end - clock.now()
      if (left <= 0) return false
      const heard = new AbortController()
      wake = () => heard.abort()
      if (fired) continue
      await sleepUntil(clock, Math.min(left, LOOK_MS), heard.signal, signal)
    }
  } finally {
    await stop()
  }
}

/** @throws the reason of `callOff` only. */
async function sleepUntil(clock: Clock, ms: number, heard: AbortSignal, callOff: AbortSignalLike | undefined): Promise<void> {
  if (callOff === undefined) return clock.sleep(ms, heard).catch(() => undefined)
  const either = new AbortController()
  const stop = (): void => either.abort()
  heard.addEventListener('abort', stop, { once: true })
  callOff.addEventListener('abort', stop, { once: true })
  if (callOff.aborted || heard.aborted) stop()
  await clock.sleep(ms, either.signal).catch(() => undefined)
  callOff.removeEventListener('abort', stop)
  if (callOff.aborted) throw reasonOf(callOff)
}
