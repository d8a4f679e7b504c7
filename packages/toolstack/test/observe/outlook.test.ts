import type { SaveEvent } from '@xen-replication/libxc-stream'
import { describe, expect, it } from 'vitest'
import { outlookWatch } from '../../src/observe/outlook.ts'
import type { Outlook } from '../../src/observe/tool-events.ts'

const PAGE = 4096

/** A live save of which every round takes a second. @param dirty pages that each leaves to the next. */
function outlooks(dirty: readonly number[], sent = 10_000): readonly (Outlook | undefined)[] {
  let now = 0
  let bytes = 0
  const watch = outlookWatch(() => now)
  return dirty.map((pages, i) => {
    const base = { pass: 'live', round: i, expected: sent } as const
    watch({ type: 'pass-begin', ...base })
    bytes += sent * PAGE
    watch({ type: 'pages', ...base, sent, bytes })
    watch({ type: 'pass-end', ...base, sent, deferred: 0, bytes })
    now += 1000
    return watch({ type: 'dirty', round: i + 1, pages })
  })
}

describe('the outlook of a live save', () => {
  it('is told when the second round begins, and from then on', () => {
    expect(outlooks([5000, 2000, 800]).map((outlook) => outlook?.round)).toEqual([1, 2, 3])
  })

  it('says how fast the guest writes and the link takes, and how long the guest would stand', () => {
    const [, second] = outlooks([5000, 2000])
    expect(second).toEqual({ round: 2, dirtyRate: 2000 * PAGE, sendRate: 10_000 * PAGE, pauseMs: 200, trend: 'shrinking' })
  })

  it.each([
    ['each round leaves much less', [5000, 2000, 900], 'shrinking'],
    ['each round leaves about the same', [5000, 4900, 5100], 'not-shrinking'],
    ['few pages are left anyway', [40, 40, 41], 'shrinking'],
    ['the first round is known, and the guest writes as fast as the link takes', [9500], 'not-shrinking'],
    ['the first round is known, and the guest writes less', [7000], 'shrinking'],
  ])('when %s', (_, dirty, trend) => {
    expect(outlooks(dirty).at(-1)?.trend).toBe(trend)
  })

  it('is finite when nothing could be sent in no time', () => {
    const watch = outlookWatch(() => 0)
    const round = (n: number): Outlook | undefined => watch({ type: 'dirty', round: n, pages: 100 } satisfies SaveEvent)
    expect([round(1), round(2)]).toEqual([expect.objectContaining({ round: 1, trend: 'not-shrinking' }), { round: 2, dirtyRate: 100 * PAGE * 1e6, sendRate: 0, pauseMs: 0, trend: 'not-shrinking' }])
  })

  it('is not told of what is found once the guest stands', () => {
    const watch = outlookWatch(() => 0)
    watch({ type: 'pass-begin', pass: 'verify', round: 5, expected: 1 })
    expect(watch({ type: 'dirty', round: 5, pages: 100 })).toBeUndefined()
  })
})
