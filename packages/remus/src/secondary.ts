import { go } from '@xen-replication/plugin-api'

const leaving = go('leaving', 'destroy', 'send:left', 'done')
const refusing = go('leaving', 'destroy', 'send:refused', 'done')
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
  offered: {
    won: go('taking', 'take-over', 'resume', 'ran'),
    lost: refusing,
    unknown: go('standing', 'await-word'),
  },
  /** The primary has given the guest away and waits. Whoever may have won keeps its copy: the other side would find that it has lost, and destroy its own. */
  taking: { ran: go('telling', 'send:taken', 'done'), fenced: go('standing', 'await-word'), failed: refusing },
  /** It runs here, whether the primary hears of it or not. */
  telling: { done: go('active'), failed: go('active'), 'peer-lost': go('active') },
  arbitrating: {
    won: go('winning', 'take-over', 'resume', 'done'),
    lost: go('failed', 'destroy'),
    unknown: go('standing', 'await-word'),
  },
  standing: {
    again: go('arbitrating', 'arbitrate'),
    failover: go('winning', 'take-over', 'resume', 'done'),
    stop: go('failed', 'destroy'),
  },
  winning: { done: go('active'), fenced: go('standing', 'await-word') },
  leaving: { done: go('left'), 'peer-lost': go('left') },
  /** The guest runs here. */
  active: {},
  /** Nothing of it is left here, and the peer goes on with it. */
  left: {},
  /** Nothing of it is left here; it may not run here. */
  failed: {},
} as const
