import type { Clock, HypervisorBackend } from '@xen-replication/hypervisor'
import type { Links } from '../links/links.ts'
import type { Collected } from '../plugins/collect-plugins.ts'
import type { LeftNotes } from '../running/left-notes.ts'
import type { Operations } from './operation.ts'

/** What operations work with. */
export interface Host {
  readonly backend: HypervisorBackend
  readonly links: Links
  readonly clock: Clock
  readonly operations: Operations
  /** What plugins bring. */
  readonly collected: Collected
  /** Guests whose processes died while they protected them. */
  readonly notes: LeftNotes
}
