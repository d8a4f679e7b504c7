import type { EffectPorts, EpochFacts, OptionValues } from '@xen-replication/plugin-api'
import { nextDue, nextInterval, remus } from '@xen-replication/remus'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const facts = (own: Partial<EpochFacts> = {}): EpochFacts => ({ epoch: 0, pages: 10, bytes: 40_960, pauseMs: 1, latencyMs: 2, outputs: 0, ...own })

describe('the interval that follows the load', () => {
  const limits = { least: 20, most: 200 }

  it('stays within its limits, whatever the last epoch was like', () => {
    const any = fc.record({ epoch: fc.nat(), pages: fc.nat(), bytes: fc.nat(), pauseMs: fc.double({ min: 0, max: 1e6, noNaN: true }), latencyMs: fc.double({ min: 0, max: 1e6, noNaN: true }), outputs: fc.nat() })
    fc.assert(fc.property(fc.double({ min: 20, max: 200, noNaN: true }), any, (now, last) => {
      const next = nextInterval(limits, now, last)
      expect(next >= limits.least && next <= limits.most).toBe(true)
    }))
  })

  it('is the longest before there was an epoch, shorter while output waits, longer while none does', () => {
    expect(nextInterval(limits, 50, undefined)).toBe(200)
    expect(nextInterval(limits, 100, facts({ outputs: 3 }))).toBe(50)
    expect(nextInterval(limits, 100, facts())).toBe(150)
  })

  it('does not let the guest stand for more than a tenth of the time, and does not outrun the link', () => {
    expect(nextInterval(limits, 40, facts({ outputs: 3, pauseMs: 8 }))).toBe(80)
    expect(nextInterval(limits, 40, facts({ outputs: 3, latencyMs: 130 }))).toBe(130)
  })
})

/** A clock that goes on as soon as somebody sleeps; it notes for how long. */
function waiting(options: OptionValues, requested: EffectPorts['requested'] = () => new Promise(() => undefined)) {
  let now = 0
  const slept: number[] = []
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      slept.push(ms)
      await Promise.resolve()
      now += ms
    },
  }
  const all = { interval: 100, 'least-interval': 20, adaptive: false, ...options }
  const effects = remus.primary.effects({ clock, options: all, signal: new AbortController().signal, request: () => undefined, requested, diverged: () => new Promise(() => undefined), lastEpoch: () => facts({ outputs: 1 }) })
  return { slept, now: () => now, spend: (ms: number) => (now += ms), wait: effects['wait-interval'] as () => Promise<string> }
}

describe('waiting for the next checkpoint', () => {
  it('counts from the beginning of the last one, and not at all when that took longer', async () => {
    const { slept, spend, wait } = waiting({})
    spend(30)
    expect(await wait()).toBe('due')
    spend(90)
    await wait()
    spend(250)
    await wait()
    expect(slept).toEqual([70, 10, 0])
  })

  it('does not add up what timers are late by', async () => {
    const { spend, wait, now } = waiting({})
    for (let i = 0; i < 50; i += 1) {
      await wait()
      spend(7) // the timer and the checkpoint
    }
    expect(now()).toBeLessThanOrEqual(50 * 100 + 7)
  })

  it('makes up for one late checkpoint, and does not run after many', () => {
    expect(nextDue(1000, 100, 1130)).toBe(1100)
    expect(nextDue(1000, 100, 5000)).toBe(5000)
  })

  it('is shorter and shorter while output waits, where the interval is to follow the load', async () => {
    const { slept, wait } = waiting({ adaptive: true })
    for (let i = 0; i < 4; i += 1) await wait()
    expect(slept).toEqual([50, 25, 20, 20])
  })

  it.each(['stop', 'failover'])('ends at once when the operator asks for %s', async (wish) => {
    expect(await waiting({ interval: 3_600_000 }, () => Promise.resolve(wish)).wait()).toBe(wish)
  })
})
