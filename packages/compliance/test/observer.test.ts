import { observerCases, type ObserverBench } from '@xen-replication/compliance'
import type { AnyObservedEvent } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'

/** Counts events by operation and kind, with a fault to be found. */
function counting(fault = ''): () => Promise<ObserverBench> {
  const is = (name: string): boolean => fault === name
  return () => {
    const counts = new Map<string, number>()
    const known = new Map([['operation.begin', 0], ['save.pages', 0], ['link.up', 0]])
    let closed = false
    const count = (event: AnyObservedEvent): void => {
      if (is('writes-on') && closed) throw new Error('closed')
      if (is('knows-all') && event.operation === 'a' && (event.kind as string) === 'somebody.else') throw new Error('unknown')
      if (is('needs-begin') && !counts.has(event.operation) && event.kind !== 'operation.begin') throw new Error('no begin')
      if (is('one-operation') && counts.size > 0 && !counts.has(event.operation)) throw new Error('another operation')
      if (is('changes')) (event.data as Record<string, unknown>)['seen'] = true
      if (is('slow') && event.kind === 'save.pages') for (const end = performance.now() + 0.3; performance.now() < end; );
      known.set(event.kind, (known.get(event.kind) ?? 0) + 1)
      counts.set(event.operation, (counts.get(event.operation) ?? 0) + 1)
    }
    return Promise.resolve({
      observer: { observe: count, close: () => Promise.resolve(void (closed = true)) },
      close: () => Promise.resolve(),
    })
  }
}

describe('an observer that keeps its promises', () => {
  for (const one of observerCases) it(one.name, () => one.run(counting()))
})

/** For each case a way to break it. */
const mutants: Readonly<Record<string, string>> = {
  'every kind of event can be looked at, and none is changed': 'changes',
  'events of several operations may come mixed': 'one-operation',
  'a kind of event that it does not know is passed over': 'knows-all',
  'events may begin in the middle of an operation, and stop there': 'needs-begin',
  'ten thousand events do not hold up the operation': 'slow',
  'closing twice does no harm, and events that come later are passed over': 'writes-on',
}

describe('an observer that breaks a promise is caught', () => {
  it.each(Object.entries(mutants))('%s', async (name, fault) => {
    await expect(observerCases.find((one) => one.name === name)?.run(counting(fault))).rejects.toThrow()
  })

  it('whichever it is', () => expect(observerCases.map(({ name }) => name)).toEqual(Object.keys(mutants)))
})
