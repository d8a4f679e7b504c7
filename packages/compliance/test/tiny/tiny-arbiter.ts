import type { ArbiterBench } from '@xen-replication/compliance'
import type { Arbiter, Claim, Grant, Verdict } from '@xen-replication/plugin-api'

/** An arbitration within a process, with a fault to be found; `none` never grants. */
export function tinyArbitration(fault = ''): ArbiterBench {
  const is = (name: string): boolean => fault === name
  const grants = new Map<string, Grant>()
  const latest = new Map<string, bigint>()
  let tokens = 0n
  const decide = (claim: Claim): Verdict => {
    if (is('none')) return { answer: 'unknown', reason: 'there is no arbiter' }
    const key = is('one-guest-only') ? 'x' : `${claim.guest} ${is('one-session') ? '' : claim.session}`
    const before = grants.get(key)
    const silent = is('says-nothing') ? '' : 'the other side has won'
    if (before !== undefined && before.claim.side !== claim.side) return { answer: is('unsure') ? 'unknown' : 'denied', reason: silent }
    if (before !== undefined && !is('new-token')) return { answer: 'granted', grant: before }
    if (claim.token !== undefined && claim.token < (latest.get(claim.guest) ?? 0n) && !is('takes-outdated')) return { answer: 'denied', reason: silent }
    if (is('prefers-primary') && claim.side === 'secondary') return { answer: 'denied', reason: 'not you' }
    tokens += is('token-stays') ? 0n : 1n
    const grant = { claim, token: tokens }
    grants.set(key, grant)
    latest.set(claim.guest, tokens)
    return { answer: 'granted', grant }
  }
  const openOne = (): Arbiter => {
    let closed = false
    let mine: Claim | undefined
    return {
      claim: async (claim, signal) => {
        if (signal.aborted && !is('deaf')) throw signal.reason as Error
        if (is('races') && grants.get(`${claim.guest} ${claim.session}`) === undefined) {
          await new Promise(setImmediate)
          return { answer: 'granted', grant: { claim, token: ++tokens } }
        }
        mine = claim
        return decide(claim)
      },
      holds: ({ claim, token }) => {
        if (is('holds-anything')) return Promise.resolve(true)
        if (is('holds-nothing')) return Promise.resolve(false)
        const current = is('holds-old') || latest.get(claim.guest) === token
        return Promise.resolve(current && [...grants.values()].some((grant) => grant.token === token && grant.claim.session === claim.session))
      },
      latest: (guest) => Promise.resolve(is('forgets-tokens') ? 0n : (latest.get(guest) ?? 0n)),
      close: () => {
        if (closed && is('closes-once')) return Promise.reject(new Error('closed already'))
        closed = true
        if (is('forgets-the-gone') && mine !== undefined) grants.delete(`${mine.guest} ${mine.session}`)
        return Promise.resolve()
      },
    }
  }
  return { open: () => Promise.resolve(openOne()), close: () => Promise.resolve() }
}
