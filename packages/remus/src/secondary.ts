import { go, secondaryLeaves as leaving, secondaryTakesOver } from '@xen-replication/plugin-api'

const lost = go('arbitrating', 'drop', 'arbitrate')

/**
 * The side that waits. A checkpoint is acknowledged when all of it is held here; it takes over only after `won`, or when the operator says so in
 * `standing`. Whenever it says `left` or `refused` its copy is destroyed already.
 */
export const secondaryTable = {
  start: { begin: go('base', 'read-checkpoint') },
  base: {
    'checkpoint-read': go('holding', 'store', 'send:stored', 'apply', 'read-checkpoint'),
    leave: leaving,
    stop: leaving,
    failed: leaving,
    'peer-lost': go('failed', 'destroy'),
  },
  holding: {
    'checkpoint-read': go('holding', 'store', 'send:stored', 'apply', 'read-checkpoint'),
    leave: leaving,
    yours: go('offered', 'arbitrate'),
    failover: go('asking', 'send:hand-over', 'read-checkpoint'),
    stop: leaving,
    failed: leaving,
    'peer-lost': lost,
  },
  asking: {
    'checkpoint-read': go('asking', 'store', 'send:stored', 'apply', 'read-checkpoint'),
    leave: leaving,
    yours: go('offered', 'arbitrate'),
    stop: leaving,
    failed: leaving,
    'peer-lost': lost,
  },
  ...secondaryTakesOver,
} as const
