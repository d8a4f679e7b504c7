import type { Arbiter, Claim, Grant, Verdict } from '@xen-replication/plugin-api'
import assert from 'node:assert/strict'
import { check, type Bench, type Case } from '../case.ts'

/** One arbitration that several hosts can ask. */
export interface ArbiterBench extends Bench {
  /** Opens it as another host would. */
  readonly open: () => Promise<Arbiter>
}

const signal = (): AbortSignal => new AbortController().signal
const claim = (session: string, side: Claim['side'], guest = 'aaaaaaaa-0000-4000-8000-000000000001'): Claim => ({ guest, session, side })

/** A case with two hosts. */
function between(name: string, body: (here: Arbiter, there: Arbiter, bench: ArbiterBench) => Promise<void>): Case<ArbiterBench> {
  return check(name, async (bench) => {
    const [here, there] = [await bench.open(), await bench.open()]
    try {
      await body(here, there, bench)
    } finally {
      await here.close()
      await there.close()
    }
  })
}

const grants = (verdicts: readonly Verdict[]): Grant[] => verdicts.flatMap((verdict) => (verdict.answer === 'granted' ? [verdict.grant] : []))

/** Every arbiter, one that never grants included. */
export const arbiterSafetyCases: readonly Case<ArbiterBench>[] = [
  between('two sides that claim at the same time never both win', async (here, there) => {
    for (let round = 0; round < 20; round++) {
      const won = grants(await Promise.all([here.claim(claim(`race ${round}`, 'primary'), signal()), there.claim(claim(`race ${round}`, 'secondary'), signal())]))
      assert.ok(won.length <= 1, `both won session ${round}`)
    }
  }),
  between('many claims of both sides never give both sides a grant', async (here, there) => {
    const asked = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? here.claim(claim('crowd', 'primary'), signal()) : there.claim(claim('crowd', 'secondary'), signal())))
    const sides = new Set(grants(await Promise.all(asked)).map((grant) => grant.claim.side))
    assert.ok(sides.size <= 1, 'both sides won')
  }),
  between('whoever was denied is denied again, even when the winner is gone', async (here, there) => {
    const first = await here.claim(claim('s', 'primary'), signal())
    await here.close()
    const second = await there.claim(claim('s', 'secondary'), signal())
    const third = await there.claim(claim('s', 'secondary'), signal())
    if (first.answer === 'granted') assert.deepEqual([second.answer === 'granted', third.answer === 'granted'], [false, false])
  }),
  between('a grant that was never given does not hold', async (here) => {
    assert.equal(await here.holds({ claim: claim('never', 'primary'), token: 7n }, signal()), false)
    const verdict = await here.claim(claim('s', 'primary'), signal())
    if (verdict.answer === 'granted') assert.equal(await here.holds({ ...verdict.grant, token: verdict.grant.token + 1n }, signal()), false, 'a token that was made up holds')
  }),
  between('a denial and an unknown answer say why', async (here, there) => {
    const answers = [await here.claim(claim('s', 'primary'), signal()), await there.claim(claim('s', 'secondary'), signal())]
    for (const verdict of answers) if (verdict.answer !== 'granted') assert.ok(verdict.reason.length > 0)
  }),
  between('asking can be called off', async (here) => {
    const reason = new Error('called off')
    await assert.rejects(here.claim(claim('s', 'primary'), AbortSignal.abort(reason)), (error) => error === reason)
  }),
  check('an arbiter may be closed twice', async ({ open }) => {
    const arbiter = await open()
    await arbiter.close()
    await arbiter.close()
  }),
]

/** Arbiters that grant: one of the sides does get its right. */
export const arbiterCases: readonly Case<ArbiterBench>[] = [
  ...arbiterSafetyCases,
  between('the first to claim wins and the other is denied, whichever side it is', async (here, there) => {
    for (const [session, first, second] of [['a', 'primary', 'secondary'], ['b', 'secondary', 'primary']] as const) {
      const verdict = await here.claim(claim(session, first), signal())
      assert.ok(verdict.answer === 'granted', `the first claim was ${verdict.answer}`)
      assert.deepEqual(verdict.grant.claim, claim(session, first))
      assert.equal((await there.claim(claim(session, second), signal())).answer, 'denied')
    }
  }),
  between('the winner is told the same again, with the same token, from whichever process it asks', async (here, there) => {
    const [first] = grants([await here.claim(claim('s', 'primary'), signal())])
    const [again] = grants([await here.claim(claim('s', 'primary'), signal())])
    const [elsewhere] = grants([await there.claim(claim('s', 'primary'), signal())])
    assert.ok(first !== undefined)
    assert.deepEqual([again?.token, elsewhere?.token], [first.token, first.token])
  }),
  between('tokens of one guest grow from session to session', async (here, there) => {
    let last = -1n
    for (let i = 0; i < 4; i++) {
      const [grant] = grants([await (i % 2 === 0 ? here : there).claim(claim(`session ${i}`, 'primary'), signal())])
      assert.ok(grant !== undefined && grant.token > last, `token ${String(grant?.token)} after ${last}`)
      last = grant.token
    }
  }),
  between('guests do not stand in each other’s way', async (here, there) => {
    const other = 'bbbbbbbb-0000-4000-8000-000000000002'
    assert.equal((await here.claim(claim('s', 'primary'), signal())).answer, 'granted')
    assert.equal((await there.claim(claim('s', 'secondary', other), signal())).answer, 'granted')
  }),
  between('a grant holds, and others can see that', async (here, there) => {
    const [grant] = grants([await here.claim(claim('s', 'primary'), signal())])
    assert.ok(grant !== undefined)
    assert.deepEqual([await here.holds(grant, signal()), await there.holds(grant, signal())], [true, true])
  }),
  between('a pair that the guest was taken away from does not win it, where the arbiter can tell', async (here, there) => {
    const before = await here.latest?.(claim('old', 'primary').guest, signal())
    if (before === undefined) return
    const [late] = grants([await there.claim({ ...claim('late', 'secondary'), token: before }, signal())])
    assert.ok(late !== undefined && late.token > before)
    assert.equal(await here.latest?.(late.claim.guest, signal()), late.token)
    assert.equal((await here.claim({ ...claim('old', 'primary'), token: before }, signal())).answer, 'denied')
    assert.equal((await there.claim({ ...claim('late', 'secondary'), token: before }, signal())).answer, 'granted', 'the winner is not told the same again')
    assert.equal((await here.claim({ ...claim('next', 'primary'), token: late.token }, signal())).answer, 'granted')
  }),
  between('a grant no longer holds once a later session of the guest was won', async (here, there) => {
    const [old] = grants([await here.claim(claim('old', 'primary'), signal())])
    const [late] = grants([await there.claim(claim('late', 'secondary'), signal())])
    assert.ok(old !== undefined && late !== undefined)
    assert.deepEqual([await here.holds(old, signal()), await here.holds(late, signal())], [false, true])
  }),
]
