export type { GuestFate } from '@xen-replication/plugin-api'

/** What the toolstack tells beside what the engines do. */
declare module '@xen-replication/plugin-api' {
  interface ObservedEvents {
    /** What a live save is heading for; told from its second round on. */
    'save.outlook': Outlook
  }
}

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
