import { deserted, go, primaryHandsOver, primaryLost as lost } from '@xen-replication/plugin-api'

const leave = go('leaving', 'send:leave', 'expect')
const checkpoint = go('sent', 'suspend', 'postsuspend', 'stage', 'preresume', 'resume', 'send-staged', 'expect')
/** The last checkpoint of a hand-over: the guest stays suspended, its disks and packets are the peer's to go on with. */
const handing = go('handing', 'suspend', 'postsuspend', 'stage', 'send-staged', 'expect')

/**
 * The side that runs the guest. Output of an epoch is released by `commit`, which only `stored` leads to; the guest runs without a peer only after
 * `won`, after the peer has destroyed its copy (`left`, `refused`), or when the peer never had a whole one (`copying`).
 */
export const primaryTable = {
  start: { begin: go('copying', 'precopy', 'copied') },
  copying: {
    copied: checkpoint,
    stop: go('stopped', 'release-guest'),
    failed: go('failed', 'release-guest'),
    left: deserted,
    'peer-lost': go('alone', 'release-guest'),
  },
  sent: {
    stored: go('waiting', 'commit', 'wait-interval'),
    'hand-over': go('asked', 'expect'),
    left: deserted,
    failed: leave,
    'peer-lost': lost,
  },
  waiting: {
    due: checkpoint,
    failover: handing,
    'hand-over': handing,
    stop: leave,
    left: deserted,
    failed: leave,
    'peer-lost': lost,
  },
  asked: {
    stored: go('handing', 'commit', 'suspend', 'postsuspend', 'stage', 'send-staged', 'expect'),
    left: deserted,
    failed: leave,
    'peer-lost': lost,
  },
  handing: {
    stored: go('handed', 'commit', 'send:yours', 'expect'),
    'hand-over': go('handing', 'expect'),
    left: deserted,
    failed: leave,
    'peer-lost': lost,
  },
  leaving: {
    left: go('stopped', 'resume', 'release-guest'),
    stored: go('leaving', 'expect'),
    'hand-over': go('leaving', 'expect'),
    'peer-lost': lost,
  },
  ...primaryHandsOver,
} as const
