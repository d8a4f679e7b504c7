import type { AbortSignalLike, Capability, Clock, GuestKind } from '@xen-replication/hypervisor'
import type { SharedEffect } from './effects.ts'
import type { Move, Table } from './machine.ts'
import type { OptionSpec, OptionValues } from './option.ts'

/** What an epoch was like, once it was acknowledged. */
export interface EpochFacts {
  readonly epoch: number
  readonly pages: number
  readonly bytes: number
  /** How long the guest stood. */
  readonly pauseMs: number
  /** From the end of the epoch until the peer had it. */
  readonly latencyMs: number
  /** Effects on the outside that waited for it, as far as devices tell; 0 where they do not. */
  readonly outputs: number
}

/** What an effect of a strategy's own gets, once a session. */
export interface EffectPorts {
  readonly clock: Clock
  readonly options: OptionValues
  /** The operation as a whole; an effect that waits gives up when it aborts. */
  readonly signal: AbortSignalLike
  /** The operator asked for something, `stop` or `failover`, since the last look; the answer is the event to yield. */
  request(): string | undefined
  /** Resolves with such a request as soon as there is one. */
  requested(signal: AbortSignalLike): Promise<string>
  /**
   * Primary whose output is compared with that of the secondary: waits until a checkpoint is wanted for it, and tells why. Never resolves where nothing
   * is compared. @throws the reason of `signal`
   */
  diverged(signal: AbortSignalLike): Promise<string>
  /** The last epoch that was acknowledged; undefined before the first, and at the secondary. */
  lastEpoch(): EpochFacts | undefined
}

/** Effects that only this strategy knows, by name. Each may yield the next event, and may throw LINK_LOST. */
export type OwnEffects<E extends string = string, X extends string = string> = { readonly [effect in X]: () => Promise<E | undefined> }

/** One side of a protocol. */
export interface Role<S extends string = string, E extends string = string, X extends string = string> {
  readonly table: Table<S, E, X>
  readonly start: S
  readonly begin: E
  /** The event for a lost link. */
  readonly lost: E
  /** Makes the effects that are not shared ones, for one session. */
  effects(ports: EffectPorts): OwnEffects<E, Exclude<X, SharedEffect>>
}

/** How two hosts keep one guest alive. */
export interface Strategy {
  /** One sentence for `xr plugins`. */
  readonly summary: string
  readonly options: readonly OptionSpec[]
  /** What the backend must be able to do; looked at on both sides before a guest is touched. */
  needs(request: { readonly kind: GuestKind; readonly options: OptionValues }): readonly Capability[]
  readonly primary: Role
  readonly secondary: Role
}

type Rows = { readonly [state in string]: { readonly [event in string]: Move<string, string> } }
type MovesOf<T extends Rows> = { [S in keyof T]: T[S][keyof T[S]] }[keyof T]
/** States of a table. */
export type StateOf<T extends Rows> = keyof T & string
/** Events that a table has an answer to somewhere. */
export type EventOf<T extends Rows> = { [S in keyof T]: keyof T[S] }[keyof T] & string
/** Effects that its moves have. */
export type EffectOf<T extends Rows> = MovesOf<T> extends Move<string, infer X> ? X : never

/** Checks the names of a role against each other, then forgets them: strategies of all kinds go into one list. */
export function defineRole<const T extends Rows>(role: {
  readonly table: T & Table<StateOf<T>, EventOf<T>, EffectOf<T>>
  readonly start: StateOf<T>
  readonly begin: EventOf<T>
  readonly lost: EventOf<T>
  effects(ports: EffectPorts): OwnEffects<EventOf<T>, Exclude<EffectOf<T>, SharedEffect>>
}): Role {
  return role
}
