export type { GuestFate } from '@xen-replication/plugin-api'

/** What the toolstack tells beside what the engines do. */
declare module '@xen-replication/plugin-api' {
  interface ObservedEvents {
    /** A link is waited for: nobody listens yet, or the one there was is lost. `waitMs`: for how long at most. */
    'link.waiting': { readonly url: string; readonly why: 'nobody-listens' | 'lost'; readonly waitMs: number }
    /** The guest that comes in cannot have its name, because a copy of it that is here already has. */
    'guest.named': { readonly guest: string; readonly name: string; readonly uuid: string }
    /** Of an image that is copied: bytes that are through, and in all where that is known. */
    'copy.progress': { readonly bytes: number; readonly total: number | undefined }
    /** What a live save is heading for; told when its second round begins, and from then on. */
    'save.outlook': Outlook
    /** A primary has found its peer: from now on its guests may have to be given up. */
    'replication.paired': ProtectionNote
  }
}

/** What has to be known to decide over guests of a pair whose primary process is gone. */
export interface ProtectionNote {
  readonly verb: string
  readonly guests: readonly { readonly name: string; readonly domId: number; readonly uuid: string }[]
  readonly session: string
  /** The greatest token that had been granted for the first guest, in decimal, where that is known. */
  readonly token: string | undefined
  /** URL of the arbiter. */
  readonly arbiter: string | undefined
  readonly unsafe: boolean
  /** The guest was given away, and the peer has not said yet that it has it. */
  readonly given?: boolean | undefined
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
