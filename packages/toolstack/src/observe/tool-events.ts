import type { GuestKind } from '@xen-replication/plugin-api'

/** What the toolstack tells beside what the engines do. */
declare module '@xen-replication/plugin-api' {
  interface ObservedEvents {
    /** A link is waited for: nobody listens yet, or the one there was is lost. `waitMs`: for how long at most. */
    'link.waiting': { readonly url: string; readonly why: 'nobody-listens' | 'lost'; readonly waitMs: number }
    /** The guest that comes in cannot have its name, because a copy of it that is here already has. */
    'guest.named': { readonly guest: string; readonly name: string; readonly uuid: string }
    /** Which guest it is about, once that is known. `memoryBytes`: its memory, of guests of this host. */
    'guest.announced': { readonly guest: string; readonly kind: GuestKind; readonly memoryBytes: number | undefined }
    /** Where a guest stands after an operation that failed or ended: `runs`, `paused`, `suspended`, `gone`. Its name is unknown when the link broke before it came. */
    'guest.fate': { readonly guest: string | undefined; readonly side: 'source' | 'target'; readonly fate: GuestFate }
    /** Of an image that is copied: bytes that are through, and in all where that is known. */
    'copy.progress': { readonly bytes: number; readonly total: number | undefined }
    /** What a live save is heading for; told when its second round begins, and from then on. */
    'save.outlook': Outlook
  }
}

/** `suspended`: nobody could let it go on, or nobody may; `unknown`: not even that could be found out. */
export type GuestFate = 'runs' | 'paused' | 'suspended' | 'gone' | 'ended' | 'unknown'

/** How the guest's writing compares with the link. */
export interface Outlook {
  /** Live round that begins. */
  readonly round: number
  /** What the guest changed during the last round, in bytes a second. */
  readonly dirtyRate: number
  /** What was sent in it, in bytes a second. */
  readonly sendRate: number
  /** How long sending what is changed now would take, in milliseconds: so long the guest would stand. */
  readonly pauseMs: number
  /** `shrinking`: each round leaves less to send; `not-shrinking`: another one will not help. */
  readonly trend: 'shrinking' | 'not-shrinking'
}
