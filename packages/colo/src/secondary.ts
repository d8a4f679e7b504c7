import { go, secondaryLeaves as leaving, secondaryTakesOver } from '@xen-replication/plugin-api'

const lost = go('arbitrating', 'stand', 'drop', 'arbitrate')
/** All of the checkpoint is here, so it counts; both sides go on from it. */
const shadow = ['store', 'apply', 'send:stored', 'preresume', 'resume', 'send:svm-resumed', 'expect'] as const
const stand = ['suspend', 'postsuspend', 'send:svm-suspended', 'send-dirty-list', 'read-checkpoint'] as const

/**
 * The side whose guest runs along unseen. `send:stored` is SVM_READY of the written protocol. Only whole checkpoints become part of the guest; whatever
 * happens in the middle of one, it goes on from where it was, since all that was ever seen of the primary this guest has sent as well.
 * It takes over only after `won`, or when the operator says so in `standing`. Whenever it says `left` or `refused` its copy is destroyed already.
 *
 * @see docs/specs/libxl-migration-stream.pandoc, "COLO"; tools/libs/light/libxl_colo_restore.c
 */
export const secondaryTable = {
  start: { begin: go('base', 'read-checkpoint') },
  base: {
    'checkpoint-read': go('shadowing', ...shadow),
    leave: leaving,
    stop: leaving,
    failed: leaving,
    'peer-lost': go('failed', 'destroy'),
  },
  /** Both run. */
  shadowing: {
    'checkpoint-new': go('receiving', ...stand),
    'hand-over': go('closing', 'expect'),
    leave: leaving,
    failover: go('asking', 'send:hand-over', 'expect'),
    stop: leaving,
    failed: leaving,
    'peer-lost': lost,
  },
  receiving: {
    'checkpoint-read': go('shadowing', ...shadow),
    leave: leaving,
    stop: leaving,
    failed: leaving,
    'peer-lost': lost,
  },
  /** As `shadowing` and `receiving` by turns, until the primary hands the guest over. */
  asking: {
    'checkpoint-new': go('asking', ...stand),
    'checkpoint-read': go('asking', ...shadow),
    'hand-over': go('closing', 'expect'),
    leave: leaving,
    stop: leaving,
    failed: leaving,
    'peer-lost': lost,
  },
  /** The next checkpoint is the last; the guest stands after it until it is known whose it is. */
  closing: {
    'checkpoint-new': go('closing', ...stand),
    'checkpoint-read': go('closing', 'store', 'apply', 'send:stored', 'expect'),
    yours: go('offered', 'arbitrate'),
    leave: leaving,
    stop: leaving,
    failed: leaving,
    'peer-lost': lost,
  },
  ...secondaryTakesOver,
} as const
