import type { GuestKind } from '@xen-replication/hypervisor'
import type { OptionValues } from './strategy/option.ts'

/** How a guest stands. `suspended`: nobody could let it go on, or nobody may; `unknown`: not even that could be found out. */
export type GuestFate = 'runs' | 'paused' | 'suspended' | 'gone' | 'ended' | 'unknown'

/** Kinds of events and what each carries. Plugins add theirs: `declare module '@xen-replication/plugin-api' { interface ObservedEvents { … } }`. */
export interface ObservedEvents {
  'operation.begin': { readonly verb: string; readonly guest: string | undefined; readonly url: string | undefined }
  'operation.end': { readonly outcome: 'done' | 'failed' | 'interrupted'; readonly code: string | undefined; readonly seconds: number }
  /** Which guest it is about, once that is known; several of a group in one line. `memoryBytes`: its memory, of guests of this host. */
  'guest.announced': { readonly guest: string; readonly kind: GuestKind; readonly memoryBytes: number | undefined }
  /** Where a guest stands after an operation that failed or ended. Its name is unknown when the link broke before it came. */
  'guest.fate': { readonly guest: string | undefined; readonly side: 'source' | 'target'; readonly fate: GuestFate }
  /** Rounds count from 0; pages are those of one pass, bytes those of the whole save. */
  'save.pass-begin': { readonly pass: string; readonly round: number; readonly expected: number }
  'save.pages': { readonly pass: string; readonly round: number; readonly sent: number; readonly expected: number; readonly bytes: number }
  'save.pass-end': { readonly pass: string; readonly round: number; readonly sent: number; readonly deferred: number; readonly bytes: number }
  'save.dirty': { readonly round: number; readonly pages: number }
  'save.trouble': { readonly what: string; readonly error: unknown }
  'restore.pages': { readonly pages: number; readonly bytes: number }
  'restore.checkpoint': { readonly number: number; readonly bytes: number }
  'link.up': { readonly url: string }
  'link.down': { readonly url: string; readonly code: string | undefined }
  /** What a primary was asked to do. `silenceMs`: silence after which the peer is taken for lost. */
  'replication.begin': { readonly strategy: string; readonly options: OptionValues; readonly heartbeatMs: number; readonly silenceMs: number; readonly arbitration: 'none' | 'arbiter' | 'unsafe' }
  'strategy.move': { readonly role: 'primary' | 'secondary'; readonly from: string; readonly event: string; readonly to: string }
  'arbiter.answer': { readonly session: string; readonly answer: 'granted' | 'denied' | 'unknown'; readonly reason: string | undefined }
  /** `pauseMs`: how long the guest stood. */
  'epoch.staged': { readonly epoch: number; readonly pages: number; readonly bytes: number; readonly pauseMs: number }
  /** `latencyMs`: from the end of the epoch until the peer said that it has it. */
  'epoch.acknowledged': { readonly epoch: number; readonly latencyMs: number }
  /** `heldMs`: how long the oldest output of the epoch was held back. */
  'epoch.released': { readonly epoch: number; readonly heldMs: number }
}

export type ObservedKind = keyof ObservedEvents

/** What every event has around what it carries. Nobody changes an event. */
export interface ObservedEvent<K extends ObservedKind = ObservedKind> {
  readonly kind: K
  /** Milliseconds of the operation's clock. */
  readonly at: number
  /** Which operation; one process may run several. */
  readonly operation: string
  readonly data: Readonly<ObservedEvents[K]>
}

/** All of them, to be told apart by `kind`. */
export type AnyObservedEvent = { readonly [K in ObservedKind]: ObservedEvent<K> }[ObservedKind]

/** Looks on: renders, counts, exports. */
export interface Observer {
  /** Comes back at once and does not throw; work that takes time is done later. Kinds it does not know are passed over. */
  observe(event: AnyObservedEvent): void
  /** Writes out what it still has. Later events are passed over. May be called twice. */
  close(): Promise<void>
}
