import type { StrategyBench } from '@xen-replication/compliance'
import { defineRole, go } from '@xen-replication/plugin-api'

const lost = go('arbitrating', 'arbitrate')
const shadow = go('shadowing', 'apply', 'send:ready', 'preresume', 'resume', 'send:resumed', 'commit', 'expect')

const primary = defineRole({
  table: {
    start: { begin: go('copied', 'precopy', 'suspend', 'postsuspend', 'send-memory', 'send-checkpoint', 'expect') },
    copied: { ready: go('resumed', 'preresume', 'resume', 'expect'), 'peer-lost': lost },
    resumed: { resumed: go('comparing', 'commit', 'await-divergence'), 'peer-lost': lost },
    comparing: { diverged: go('suspended', 'send:checkpoint-new', 'suspend', 'postsuspend', 'expect'), 'peer-lost': lost },
    suspended: { suspended: go('copied', 'read-dirty-list', 'send-memory', 'send-checkpoint', 'expect'), 'peer-lost': lost },
    arbitrating: { won: go('alone', 'resume', 'take-over'), lost: go('yielded', 'destroy') },
    alone: {},
    yielded: {},
  },
  start: 'start', begin: 'begin', lost: 'peer-lost',
  effects: () => ({ 'await-divergence': () => Promise.resolve('diverged' as const) }),
})

const secondary = defineRole({
  table: {
    start: { begin: go('base', 'read-checkpoint') },
    base: { 'checkpoint-read': shadow, 'peer-lost': go('failed', 'destroy') },
    shadowing: { 'checkpoint-new': go('receiving', 'suspend', 'postsuspend', 'send:suspended', 'send-dirty-list', 'read-checkpoint'), 'peer-lost': lost },
    receiving: { 'checkpoint-read': shadow, 'peer-lost': go('arbitrating', 'drop', 'arbitrate') },
    arbitrating: { won: go('active', 'resume', 'take-over'), lost: go('failed', 'destroy') },
    active: {},
    failed: {},
  },
  start: 'start', begin: 'begin', lost: 'peer-lost',
  effects: () => ({}),
})

/** Both guests run and are compared: a strategy in which the secondary talks as much as the primary. */
export function tinyLockstep(): StrategyBench {
  return {
    strategy: { summary: 'lock step', options: [], needs: () => ['fast-resume'], primary, secondary },
    peerEffects: ['await-divergence'],
    yields: (effect) => (effect === 'await-divergence' ? 'diverged' : undefined),
    options: {},
    close: () => Promise.resolve(),
  }
}
