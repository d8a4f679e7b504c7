import type { AnyObservedEvent, ObservedEvents, ObservedKind, Observer } from '@xen-replication/plugin-api'
import assert from 'node:assert/strict'
import { check, type Bench, type Case } from '../case.ts'

export interface ObserverBench extends Bench {
  readonly observer: Observer
}

/** An event of each kind, in an order in which they might come. */
const samples: { readonly [K in ObservedKind]: ObservedEvents[K] } = {
  'operation.begin': { verb: 'migrate', guest: 'demo', url: 'tcp://host:1' },
  'guest.announced': { guest: 'demo', kind: 'pvh', memoryBytes: undefined },
  'guest.fate': { guest: 'demo', side: 'source', fate: 'runs' },
  'link.up': { url: 'tcp://host:1' },
  'save.pass-begin': { pass: 'live', round: 0, expected: 16_384 },
  'save.pages': { pass: 'live', round: 0, sent: 1024, expected: 16_384, bytes: 4_202_520 },
  'save.dirty': { round: 0, pages: 12 },
  'save.pass-end': { pass: 'live', round: 0, sent: 16_384, deferred: 0, bytes: 67_240_320 },
  'save.trouble': { what: 'log-dirty-off', error: new Error('no') },
  'restore.pages': { pages: 1024, bytes: 4_202_520 },
  'restore.checkpoint': { number: 0, bytes: 67_240_320 },
  'epoch.staged': { epoch: 1, pages: 12, bytes: 49_152, pauseMs: 0.4 },
  'epoch.acknowledged': { epoch: 1, latencyMs: 2.5 },
  'epoch.released': { epoch: 1, heldMs: 202.5 },
  'replication.begin': { strategy: 'remus', options: { interval: 200 }, heartbeatMs: 100, silenceMs: 300, arbitration: 'none' },
  'strategy.move': { role: 'primary', from: 'copied', event: 'peer-lost', to: 'arbitrating' },
  'arbiter.answer': { session: 's', answer: 'denied', reason: 'the other side has won' },
  'link.down': { url: 'tcp://host:1', code: 'LINK_LOST' },
  'operation.end': { outcome: 'failed', code: 'LINK_LOST', seconds: 1.5 },
}

function story(operation: string): AnyObservedEvent[] {
  return Object.entries(samples).map(([kind, data], i) => frozen({ kind, at: 1000 + i, operation, data }))
}

/** Changing one throws, where code is strict. */
function frozen(event: { readonly kind: string; readonly at: number; readonly operation: string; readonly data: object }): AnyObservedEvent {
  return Object.freeze({ ...event, data: Object.freeze({ ...event.data }) }) as unknown as AnyObservedEvent
}

/** Whoever looks on disturbs nothing. */
export const observerCases: readonly Case<ObserverBench>[] = [
  check('every kind of event can be looked at, and none is changed', async ({ observer }) => {
    const [events, copies] = [story('a'), story('a')]
    for (const event of events) assert.equal(observer.observe(event), undefined, 'it gives something back that somebody would have to wait for')
    for (const [i, event] of events.entries()) assert.deepEqual(Object.entries(event.data), Object.entries((copies[i] as AnyObservedEvent).data))
    await observer.close()
  }),
  check('events of several operations may come mixed', async ({ observer }) => {
    const [a, b] = [story('a'), story('b')]
    for (const [i, event] of a.entries()) {
      observer.observe(event)
      observer.observe(b[i] as AnyObservedEvent)
    }
    await observer.close()
  }),
  check('a kind of event that it does not know is passed over', async ({ observer }) => {
    observer.observe(frozen({ kind: 'somebody.else', at: 1, operation: 'a', data: { anything: 1n } }))
    await observer.close()
  }),
  check('events may begin in the middle of an operation, and stop there', async ({ observer }) => {
    for (const event of story('a').slice(3, 6)) observer.observe(event)
    await observer.close()
  }),
  check('ten thousand events do not hold up the operation', async ({ observer }) => {
    const events = Array.from({ length: 10_000 }, (_, i) => frozen({ kind: 'save.pages', at: i, operation: 'a', data: samples['save.pages'] }))
    const before = performance.now()
    for (const event of events) observer.observe(event)
    const took = performance.now() - before
    await observer.close()
    assert.ok(took < 2000, `they took ${Math.round(took)} ms`)
  }),
  check('closing twice does no harm, and events that come later are passed over', async ({ observer }) => {
    await observer.close()
    for (const event of story('late')) observer.observe(event)
    await observer.close()
  }),
]
