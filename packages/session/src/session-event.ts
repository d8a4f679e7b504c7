/** What a session tells while it goes on. */
export type SessionEvent =
  /** How far the receiver is: bytes of the stream it has verified; pages and state are what its application says. */
  | { readonly type: 'progress'; readonly bytes: number; readonly pages: number; readonly state: number }
  /** There and back, at most: the peer may have waited up to a heartbeat before it answered. */
  | { readonly type: 'round-trip'; readonly ms: number }
  /** `waitMs`: how long another link is waited for; 0 where there is no other. */
  | { readonly type: 'link-lost'; readonly error: unknown; readonly waitMs: number }
  /** `resent`: bytes of the stream that had to be sent twice. */
  | { readonly type: 'link-back'; readonly resent: number; readonly waitedMs: number }

export type SessionObserver = (event: SessionEvent) => void
