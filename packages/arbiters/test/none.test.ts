import { noArbiter } from '@xen-replication/arbiters'
import { arbiterSafetyCases } from '@xen-replication/compliance'
import { describe, expect, it } from 'vitest'
import { claimOf, never, reasonOf } from './asking.ts'

describe('none', () => {
  for (const one of arbiterSafetyCases) it(one.name, () => one.run(() => Promise.resolve({ open: () => noArbiter.open('none', never()), close: () => Promise.resolve() })))

  it('never answers, so that neither side takes over nor gives up its guest', async () => {
    const arbiter = await noArbiter.open('none', never())
    const verdict = await arbiter.claim(claimOf('s'), never())
    expect(verdict.answer).toBe('unknown')
    expect(reasonOf(verdict)).toContain('--arbiter')
    expect(await arbiter.holds({ claim: claimOf('s'), token: 1n }, never())).toBe(false)
  })
})
