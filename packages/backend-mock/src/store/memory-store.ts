import type { GuestEvent } from '../guest/timeline.ts'
import type { GuestRecord } from '../guest/record.ts'
import type { HostStore } from './host-store.ts'

/** A host that lives as long as its process. */
export function memoryStore({ seed, memoryBytes }: { readonly seed: number; readonly memoryBytes: number }): HostStore {
  const known = new Map<number, { record: GuestRecord; events: GuestEvent[] }>()
  let next = 1
  const change = {
    guests: () => [...known.values()].map(({ record }) => record),
    nextDomId: () => next++,
    put: (record: GuestRecord) => {
      known.set(record.domId, { record, events: known.get(record.domId)?.events ?? [] })
    },
    remove: (domId: number) => {
      known.delete(domId)
    },
    append: (domId: number, event: GuestEvent) => {
      known.get(domId)?.events.push(event)
    },
  }
  return {
    seed,
    memoryBytes,
    lasting: false,
    guests: () => [...known.values()],
    guest: (domId) => known.get(domId),
    change: (work) => new Promise((resolve) => resolve(work(change))),
    lease: () => ({ release: () => undefined }),
    memory: () => ({ p2m: undefined, read: () => false, writeAhead: () => false }),
    save: (record, _, taken) => {
      known.set(record.domId, { record, events: known.get(record.domId)?.events.slice(taken) ?? [] })
      return Promise.resolve()
    },
    close: () => Promise.resolve(),
  }
}
