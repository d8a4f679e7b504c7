import type { Arbiter, Claim, Grant, Verdict } from '@xen-replication/plugin-api'

export const guest = 'aaaaaaaa-0000-4000-8000-000000000001'

export const never = (): AbortSignal => new AbortController().signal

export const claimOf = (session: string, side: Claim['side'] = 'primary'): Claim => ({ guest, session, side })

/** The grant for a claim; the test fails when there is none. */
export async function grantFor(arbiter: Arbiter, claim: Claim): Promise<Grant> {
  const verdict = await arbiter.claim(claim, never())
  if (verdict.answer !== 'granted') throw new Error(`not granted: ${verdict.reason}`)
  return verdict.grant
}

/** Why a claim was not granted. */
export function reasonOf(verdict: Verdict): string {
  return verdict.answer === 'granted' ? 'it was granted' : verdict.reason
}

/** Who won of two sides that ask at once. */
export async function race(here: Arbiter, there: Arbiter, session: string): Promise<readonly Grant[]> {
  const verdicts = await Promise.all([here.claim(claimOf(session, 'primary'), never()), there.claim(claimOf(session, 'secondary'), never())])
  return verdicts.flatMap((verdict) => (verdict.answer === 'granted' ? [verdict.grant] : []))
}
