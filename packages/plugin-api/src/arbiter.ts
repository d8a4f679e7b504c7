import type { AbortSignalLike } from '@xen-replication/hypervisor'

/** Who asks to run a guest alone. */
export interface Claim {
  /** UUID of the guest. */
  readonly guest: string
  /** The pair of hosts as it was; each new pairing has another one. Of a session one side wins, for ever. */
  readonly session: string
  readonly side: 'primary' | 'secondary'
  /**
   * The greatest token that had been granted for the guest when the pair was made. Whoever has been granted a greater one since, in another session,
   * has taken the guest away from this pair: the claim is denied. Left out: that is not looked at.
   */
  readonly token?: bigint | undefined
}

/** The right to run alone. */
export interface Grant {
  readonly claim: Claim
  /** Greater than that of every earlier grant for the guest, so that devices can tell a late writer. */
  readonly token: bigint
}

/** `unknown`: the arbiter could not be asked or did not answer. Nobody takes over on that. */
export type Verdict =
  | { readonly answer: 'granted'; readonly grant: Grant }
  | { readonly answer: 'denied'; readonly reason: string }
  | { readonly answer: 'unknown'; readonly reason: string }

/** Decides who lives when the link dies. */
export interface Arbiter {
  /** Asking again gives the same answer, because the first may have been lost; an `unknown` may become known. @throws the reason of `signal` */
  claim(claim: Claim, signal: AbortSignalLike): Promise<Verdict>
  /** Whether a grant still stands; false when that cannot be found out. @throws the reason of `signal` */
  holds(grant: Grant, signal: AbortSignalLike): Promise<boolean>
  /**
   * The greatest token granted for a guest so far, 0 before the first. Left out by arbiters that cannot be asked that: pairs are then told apart by
   * their sessions alone. @throws ArbiterError or whatever else keeps it from an answer; the reason of `signal`
   */
  latest?(guest: string, signal: AbortSignalLike): Promise<bigint>
  /** Lets go of connections; grants stand. May be called twice. */
  close(): Promise<void>
}
