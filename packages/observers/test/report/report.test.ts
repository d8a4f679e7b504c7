import type { AnyObservedEvent, ObservedEvents, ObservedKind } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'
import { Missed } from '../../src/report/missed.ts'
import { Report } from '../../src/report/report.ts'

const event = <K extends ObservedKind>(kind: K, at: number, data: ObservedEvents[K]): AnyObservedEvent => ({ kind, at, operation: 'o', data }) as unknown as AnyObservedEvent
const begin = (options: Readonly<Record<string, number | boolean>>): AnyObservedEvent =>
  event('replication.begin', 0, { strategy: 'remus', options, heartbeatMs: 100, silenceMs: 300, arbitration: 'arbiter' })
const texts = (report: Report): readonly string[] => report.state.story.map(({ text }) => text)

describe('the story of a failover', () => {
  it('tells of both sides in the order of time, whatever their clocks begin with', () => {
    const report = new Report('t')
    const [primary, backup] = [report.side('a', 1000), report.side('b', 5000)]
    backup(event('strategy.move', 100, { role: 'secondary', from: 'holding', event: 'peer-lost', to: 'arbitrating' }))
    primary(event('epoch.acknowledged', 50, { epoch: 0, latencyMs: 3 }))
    backup(event('arbiter.answer', 120, { session: 's', answer: 'granted', reason: undefined }))
    backup(event('strategy.move', 130, { role: 'secondary', from: 'winning', event: 'done', to: 'active' }))
    expect(report.state.story.map(({ at, side, text }) => [at, side, text])).toEqual([
      [1050, 'a', 'The backup has a whole copy: from here on the guest is protected.'],
      [5100, 'b', 'The primary is lost: this side asks for the right to run the guest.'],
      [5120, 'b', 'The arbiter grants this side the right to run the guest.'],
      [5130, 'b', 'The guest runs here now.'],
    ])
    expect(report.state.figures).toEqual([['Lost until it runs', 30]])
  })

  it('leaves out what happens in every epoch, and tells moves that no word is known for as they stand', () => {
    const report = new Report('t')
    const tell = report.side('', 0)
    for (const name of ['due', 'stored', 'due', 'stored', 'checkpoint-read']) tell(event('strategy.move', 1, { role: 'primary', from: 'x', event: name, to: 'y' }))
    tell(event('strategy.move', 2, { role: 'primary', from: 'comparing', event: 'diverged', to: 'suspended' }))
    tell(event('strategy.move', 3, { role: 'primary', from: 'x', event: 'constructor', to: 'y' }))
    expect(texts(report)).toEqual(["The primary goes from 'comparing' to 'suspended' by 'diverged'.", "The primary goes from 'x' to 'y' by 'constructor'."])
  })

  it('stays short in a long run: its beginning and end, and how much lies between', () => {
    const report = new Report('t')
    for (let i = 0; i < 100_000; i += 1) report.tell(i, '', `thing ${i}`)
    for (let i = 0; i < 100; i += 1) report.tell(100_000 + i, '', 'thing 5')
    const { story, leftOut } = report.state
    expect(story.length).toBeLessThanOrEqual(1000)
    expect(story.length + leftOut).toBe(100_100)
    expect([story[0]?.text, story.filter(({ text }) => text === 'thing 5').length]).toEqual(['thing 0', 20])
  })
})

describe('an epoch', () => {
  it('is missed when a checkpoint begins later than one and a half intervals after the last', () => {
    const missed = new Missed(25)
    expect([0, 25, 52, 90, 190].map((at) => missed.began(at))).toEqual([undefined, 25, 27, 38, 100])
    expect(missed.count).toBe(1 + 3)
    expect(missed.share).toBeCloseTo(4 / 9)
  })

  it('shows in every plot, but the first in none of output: before it nothing was held back', () => {
    const report = new Report('t')
    const tell = report.side('', 0)
    tell(begin({ interval: 100 }))
    for (const epoch of [0, 1, 2]) {
      const at = 1000 + 300 * epoch
      tell(event('epoch.staged', at, { epoch, pages: 10 * epoch, bytes: 4096, pauseMs: 1.5 }))
      tell(event('epoch.acknowledged', at + 20, { epoch, latencyMs: 22 }))
      tell(event('epoch.released', at + 21, { epoch, heldMs: 320 }))
    }
    const { plots, missed, acknowledged } = report.state
    const counts = Object.fromEntries(plots.flatMap(({ lines, measures }) => lines.map(({ measure }, i) => [measure, measures[i]?.summary?.count])))
    expect(counts).toEqual({ pause: 3, pages: 3, bytes: 3, held: 2, latency: 3, interval: 2, missed: 2 })
    expect([missed?.count, acknowledged]).toEqual([4, 3])
  })

  it('is never missed where the interval follows the load', () => {
    const report = new Report('t')
    const tell = report.side('', 0)
    tell(begin({ interval: 100, adaptive: true }))
    for (const at of [0, 1000]) tell(event('epoch.acknowledged', at, { epoch: 1, latencyMs: 1 }))
    expect(report.state.missed).toBeUndefined()
  })
})
