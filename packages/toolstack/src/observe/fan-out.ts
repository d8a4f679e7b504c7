import type { AnyObservedEvent, ObservedEvents, ObservedKind, Observer } from '@xen-replication/plugin-api'

/** Tells one kind of event. */
export type Emit = <K extends ObservedKind>(kind: K, data: Readonly<ObservedEvents[K]>) => void

/** One observer in place of many. None of them can disturb the others or who tells them. */
export function fanOut(observers: readonly Observer[]): Observer {
  return {
    observe: (event) => {
      for (const observer of observers) quietly(() => observer.observe(event))
    },
    close: async () => {
      await Promise.allSettled(observers.map((observer) => observer.close()))
    },
  }
}

function quietly(work: () => void): void {
  try {
    work()
  } catch {
    // an observer that throws breaks its own promise
  }
}

/** @param at the operation's clock */
export function emitterOf(observer: Observer, operation: string, at: () => number): Emit {
  return (kind, data) => observer.observe({ kind, at: at(), operation, data } as AnyObservedEvent)
}
