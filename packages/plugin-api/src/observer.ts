/** Kinds of events and what each carries. Plugins add theirs: `declare module '@xen-replication/plugin-api' { interface ObservedEvents { … } }`. */
export interface ObservedEvents {
  'operation.begin': { readonly verb: string; readonly guest: string | undefined; readonly url: string | undefined }
  'operation.end': { readonly outcome: 'done' | 'failed' | 'interrupted'; readonly code: string | undefined; readonly seconds: number }
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
