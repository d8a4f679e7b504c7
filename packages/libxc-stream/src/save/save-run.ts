import type { AbortSignalLike, GuestForSave } from '@xen-replication/hypervisor'
import type { GuestShape } from './guests/guest-shape.ts'
import type { PageSet } from './page-set.ts'
import type { PageWriter } from './page-writer.ts'
import type { PrecopyPolicy } from './precopy-policy.ts'
import type { SaveObserver } from './save-event.ts'

/** What the phases of one save share. */
export interface SaveRun {
  readonly guest: GuestForSave
  readonly shape: GuestShape
  readonly writer: PageWriter
  /** Pages to be sent next. */
  readonly todo: PageSet
  readonly policy: PrecopyPolicy
  readonly observe: SaveObserver
  readonly signal: AbortSignalLike | undefined
}
