import type { DomId, RingPorts } from '@xen-replication/hypervisor'
import type { Question } from './protocol/message.ts'

/** What both kinds of job have. */
interface Job {
  /** Descriptor of the stream, which libxl has opened and uses as well. */
  readonly streamFd: number
  readonly domId: DomId
  /** `remus`: a stream of checkpoints. */
  readonly stream: 'plain' | 'remus'
  /** What libxl can be asked. */
  readonly callbacks: ReadonlySet<Question>
}

/** A guest to be written to the stream. */
export interface SaveJob extends Job {
  readonly verb: 'save'
  /** `live`: memory goes while the guest runs. */
  readonly manner: 'stopped' | 'live'
  /** Sends memory twice, for the restorer to compare. */
  readonly verify: boolean
  /** `left-out`: nothing is said of pages that the guest does not have. */
  readonly holes: 'as-xen' | 'left-out'
}

/** A guest to be filled from the stream. */
export interface RestoreJob extends Job {
  readonly verb: 'restore'
  readonly rings: RingPorts
}

export type HelperJob = SaveJob | RestoreJob
