import type { Claim, Grant, Verdict } from '@xen-replication/plugin-api'
import { ArbiterError } from './arbiter-error.ts'

/** Longest session that is kept, in characters. */
const LONGEST_SESSION = 512

/**
 * The claim as it may be kept: its guest can stand in the name of a file or key, its session on one line.
 *
 * @throws ArbiterError ARBITER_CLAIM
 */
export function requireClaim(claim: Claim): Claim {
  requireGuest(claim.guest)
   
  if (claim.session === '' || claim.session.length > LONGEST_SESSION || /[\u0000-\u001f\u007f]/.test(claim.session)) throw unfit('the session')
  return { guest: claim.guest, session: claim.session, side: claim.side, ...(claim.token === undefined ? {} : { token: claim.token }) }
}

/** A guest as it may stand in the name of a file or key. @throws ArbiterError ARBITER_CLAIM */
export function requireGuest(guest: string): string {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(guest)) throw unfit('the guest')
  return guest
}

/** The verdict on a claim when the session it is about was won with `won`. */
export function verdictOn(claim: Claim, won: Grant): Verdict {
  if (isSame(claim, won.claim)) return { answer: 'granted', grant: { claim, token: won.token } }
  return { answer: 'denied', reason: `the ${won.claim.side} of this session has the right to run (token ${won.token})` }
}

/** The verdict on a claim of a pair that somebody has taken the guest away from. */
export function outdated({ claim, token }: Grant): Verdict {
  return { answer: 'denied', reason: `the ${claim.side} of a later session has the right to run (token ${token})` }
}

/** Whether a grant took the guest away from the pair that claims it. */
export function isLater({ claim, token }: Grant, ours: Claim): boolean {
  return ours.token !== undefined && token > ours.token && !isSameSession(claim, ours)
}

export function isSame(a: Claim, b: Claim): boolean {
  return isSameSession(a, b) && a.side === b.side
}

export function isSameSession(a: Claim, b: Claim): boolean {
  return a.guest === b.guest && a.session === b.session
}

/** A claim as it is written down. */
export function claimText({ guest, session, side }: Claim): string {
  return JSON.stringify({ guest, session, side })
}

/** @throws ArbiterError ARBITER_DAMAGED when it is not the text of a claim. */
export function claimOf(text: string, where: string): Claim {
  const value = parsed(text)
  if (typeof value === 'object' && value !== null && 'guest' in value && 'session' in value && 'side' in value) {
    const { guest, session, side } = value
    if (typeof guest === 'string' && typeof session === 'string' && (side === 'primary' || side === 'secondary')) return { guest, session, side }
  }
  throw new ArbiterError('ARBITER_DAMAGED', `${where} is not a grant as xr writes them`, { hint: 'look who else writes there; use a place that is for xr alone' })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const unfit = (what: string): ArbiterError => new ArbiterError('ARBITER_CLAIM', `${what} of the claim has a name that cannot be kept`, { hint: 'report this' })
