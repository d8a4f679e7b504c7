import type { GuestKind } from '@xen-replication/plugin-api'

/** What the toolstack tells beside what the engines do. */
declare module '@xen-replication/plugin-api' {
  interface ObservedEvents {
    /** Which guest it is about, once that is known. `memoryBytes`: its memory, of guests of this host. */
    'guest.announced': { readonly guest: string; readonly kind: GuestKind; readonly memoryBytes: number | undefined }
    /** Where a guest stands after an operation that failed or ended: `runs`, `paused`, `suspended`, `gone`. */
    'guest.fate': { readonly guest: string; readonly side: 'source' | 'target'; readonly fate: GuestFate }
    /** What a live save is heading for; told from its second round on. */
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
