import type { Arbiter } from '@xen-replication/plugin-api'
import { Arbitration, Secondary, Wishes, type Moment, type SecondaryLink } from '@xen-replication/toolstack'
import { describe, expect, it } from 'vitest'

const moment: Moment = { event: 'checkpoint-read', answers: () => true, signal: new AbortController().signal }

/** A secondary whose primary may be lost, and how often it has claimed the guest. */
function pair(): { readonly secondary: Secondary; readonly lose: () => void; readonly claims: () => number } {
  let claims = 0
  const gone = new AbortController()
  const arbiter: Arbiter = {
    claim: (claim) => ((claims += 1), Promise.resolve({ answer: 'granted', grant: { claim, token: 1n } })),
    holds: () => Promise.resolve(true),
    close: () => Promise.resolve(),
  }
  const link: SecondaryLink = {
    signal: gone.signal,
    source: () => ({ read: () => undefined }),
    word: () => Promise.resolve(undefined),
    epochEnd: () => Promise.resolve(0),
    stored: () => Promise.resolve(),
    say: () => Promise.resolve(),
    cut: () => undefined,
  }
  const claim = { guest: 'g', session: 's', side: 'secondary' as const }
  const clock = { now: () => 0, sleep: () => new Promise<void>(() => undefined) }
  const arbitration = new Arbitration({ kind: 'arbiter', arbiter, claim, clock, emit: () => undefined })
  return { secondary: new Secondary({ guests: [], link, arbitration, wishes: new Wishes(), then: 'run' }), lose: () => gone.abort(new Error('the link is cut')), claims: () => claims }
}

describe('a backup that has lost its primary', () => {
  it('does not claim the guest before an epoch is stored: it has no copy, and the primary lives or is restored', async () => {
    const { secondary, lose, claims } = pair()
    lose()
    expect(await secondary.perform('arbitrate', moment)).toBe('lost')
    expect(claims()).toBe(0)
  })

  it('claims it once an epoch is stored', async () => {
    const { secondary, lose, claims } = pair()
    await secondary.perform('store', moment)
    lose()
    expect(await secondary.perform('arbitrate', moment)).toBe('won')
    expect(claims()).toBe(1)
  })
})
