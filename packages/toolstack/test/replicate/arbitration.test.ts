import type { Arbiter, Claim, ObservedEvents, Verdict } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'
import type { Emit } from '../../src/observe/fan-out.ts'
import { latestToken, openArbiter, requireSameKind, requireSameToken, requireXlAble } from '../../src/replicate/arbiter-choice.ts'
import { Arbitration, type ArbitrationKind } from '../../src/replicate/arbitration.ts'
import { collectPlugins } from '../../src/plugins/collect-plugins.ts'

const never = new AbortController().signal
const claim = (side: Claim['side'], token?: bigint): Claim => ({ guest: 'g', session: 's', side, ...(token === undefined ? {} : { token }) })

function made(kind: ArbitrationKind, side: Claim['side'], own: Partial<Arbiter> = {}, token?: bigint) {
  let now = 0
  const told: ObservedEvents['arbiter.answer'][] = []
  const emit: Emit = (_kind, data) => void told.push(data as unknown as ObservedEvents['arbiter.answer'])
  const arbiter: Arbiter = { claim: () => Promise.reject(new Error('no route')), holds: () => Promise.reject(new Error('no route')), close: () => Promise.resolve(), ...own }
  const clock = { now: () => now, sleep: (ms: number, signal?: { readonly aborted: boolean }) => new Promise<void>((resolve) => setTimeout(() => (signal?.aborted === true ? undefined : resolve()), ms > 1000 ? 20 : ms)) }
  return { told, pass: (ms: number) => (now += ms), arbitration: new Arbitration({ kind, arbiter: kind === 'arbiter' ? arbiter : undefined, claim: claim(side, token), clock, emit }) }
}

const granted: Verdict = { answer: 'granted', grant: { claim: claim('primary'), token: 9n } }

describe('without an arbiter', () => {
  it('the primary may run the guest and the secondary may not, so that there are never two', async () => {
    const [primary, secondary] = [made('none', 'primary').arbitration, made('none', 'secondary').arbitration]
    expect([await primary.claim(never), await secondary.claim(never)]).toEqual(['won', 'unknown'])
    expect([await primary.holds(never), await secondary.holds(never)]).toEqual([true, false])
  })

  it('that is the other way round once the guest was handed over', async () => {
    const [primary, secondary] = [made('none', 'primary').arbitration, made('none', 'secondary').arbitration]
    primary.handedOver('them')
    secondary.handedOver('us')
    expect([await primary.claim(never), await secondary.claim(never)]).toEqual(['unknown', 'won'])
    expect([await primary.holds(never), await secondary.holds(never)]).toEqual([false, true])
  })

  it('the operator may decide otherwise; unsafe, each side may', async () => {
    const { arbitration } = made('none', 'secondary')
    arbitration.decidedByOperator()
    expect(await arbitration.holds(never)).toBe(true)
    expect(await made('unsafe', 'secondary').arbitration.claim(never)).toBe('won')
  })
})

describe('an arbiter', () => {
  it('is believed, with the token of its grant', async () => {
    const { arbitration, told } = made('arbiter', 'primary', { claim: () => Promise.resolve(granted), holds: ({ token }) => Promise.resolve(token === 9n) })
    expect(await arbitration.holds(never), 'before it was won').toBe(false)
    expect(await arbitration.claim(never)).toBe('won')
    expect([arbitration.token, await arbitration.holds(never)]).toEqual([9n, true])
    expect(told).toEqual([{ session: 's', answer: 'granted', reason: undefined }])
  })

  it('that denies, fails or never answers grants nothing', async () => {
    expect(await made('arbiter', 'primary', { claim: () => Promise.resolve({ answer: 'denied', reason: 'taken' }) }).arbitration.claim(never)).toBe('lost')
    const failing = made('arbiter', 'primary')
    expect([await failing.arbitration.claim(never), failing.told[0]?.reason]).toEqual(['unknown', 'no route'])
    const silent = made('arbiter', 'primary', { claim: () => new Promise(() => undefined) })
    expect([await silent.arbitration.claim(never), silent.told[0]?.reason]).toEqual(['unknown', 'no answer within 90000 ms'])
  })

  it('that cannot be asked whether a grant stands counts as one that says no', async () => {
    const { arbitration } = made('arbiter', 'primary', { claim: () => Promise.resolve(granted) })
    await arbitration.claim(never)
    expect(await arbitration.holds(never)).toBe(false)
  })
})

describe('a pair that the guest was taken away from', () => {
  it('is found before its output is let go, even where the process stood still meanwhile', async () => {
    let latest = 4n
    const { arbitration, pass } = made('arbiter', 'primary', { latest: () => Promise.resolve(latest) }, 4n)
    for (let epoch = 0; epoch < 5; epoch += 1) {
      expect(await arbitration.outdated(never)).toBeUndefined()
      pass(25)
    }
    latest = 6n
    pass(400)
    expect(await arbitration.outdated(never)).toMatch(/token 6 was granted to another pair .* under 4/)
  })

  it('is not taken for one while the arbiter is away: the peer acknowledges', async () => {
    const { arbitration, pass } = made('arbiter', 'primary', { latest: () => Promise.reject(new Error('no route')) }, 4n)
    pass(1000)
    expect(await arbitration.outdated(never)).toBeUndefined()
    expect(await made('arbiter', 'primary', { latest: () => new Promise(() => undefined) }, 4n).arbitration.outdated(never), 'or does not answer').toBeUndefined()
  })

  it('cannot win it by a grant that is not greater than those before', async () => {
    const { arbitration, told } = made('arbiter', 'primary', { claim: () => Promise.resolve(granted), holds: () => Promise.resolve(true) }, 9n)
    expect(await arbitration.claim(never)).toBe('unknown')
    expect(told[0]?.reason).toMatch(/grants token 9, and 9 was granted before/)
    expect(await arbitration.holds(never)).toBe(false)
    expect(await made('arbiter', 'primary', { claim: () => Promise.resolve(granted) }, 8n).arbitration.claim(never)).toBe('won')
  })

  it('is not begun: both sides have to know of the same grants, as far as they can tell', async () => {
    expect(() => requireSameToken(5n, 5n)).not.toThrow()
    expect(() => requireSameToken(undefined, 3n)).not.toThrow()
    expect(() => requireSameToken(5n, 3n)).toThrow(expect.objectContaining({ code: 'TOOL_STALE', hint: expect.stringContaining('taken over') as string }) as Error)
    expect(() => requireSameToken(0n, 3n)).toThrow(expect.objectContaining({ code: 'TOOL_STALE' }) as Error)
    expect(await latestToken({ kind: 'none', arbiter: undefined }, 'g', never)).toBeUndefined()
  })
})

describe('the choice of an arbiter', () => {
  it('is none, unsafe, or one that a plugin brings', async () => {
    const collected = collectPlugins([])
    expect(await openArbiter(collected, {}, never)).toMatchObject({ kind: 'none' })
    expect(await openArbiter(collected, { unsafe: true }, never)).toMatchObject({ kind: 'unsafe' })
    await expect(openArbiter(collected, { arbiter: 'etcd://x/y' }, never)).rejects.toMatchObject({ code: 'PLUGIN_NO_ARBITER' })
    await expect(openArbiter(collected, { arbiter: 'file:/x', unsafe: true }, never)).rejects.toMatchObject({ code: 'TOOL_ARBITER' })
  })

  it('has to be the same on both sides', () => {
    expect(() => requireSameKind('arbiter', 1)).not.toThrow()
    for (const [ours, theirs] of [['none', 1], ['arbiter', 0], ['arbiter', 2], ['none', 7]] as const) expect(() => requireSameKind(ours, theirs)).toThrow(expect.objectContaining({ code: 'TOOL_ARBITER' }) as Error)
  })

  it('with xl at the other end is to accept that two may run, for one guest', () => {
    expect(() => requireXlAble({ unsafe: true, doms: ['a'] })).not.toThrow()
    for (const [request, code] of [[{}, 'TOOL_ARBITER'], [{ arbiter: 'file:/x' }, 'TOOL_ARBITER'], [{ unsafe: true, doms: ['a', 'b'] }, 'TOOL_GUEST']] as const) {
      expect(() => requireXlAble(request)).toThrow(expect.objectContaining({ code }) as Error)
    }
  })
})
