import { deserted, go, primaryHandsOver, primaryLost as lost } from '@xen-replication/plugin-api'

const leave = go('leaving', 'send:leave', 'expect')
const announce = ['send:checkpoint-new', 'suspend', 'postsuspend', 'expect'] as const
/** Both guests stand. What either of them wrote goes over, so that they are the same. */
const send = ['read-dirty-list', 'send-memory', 'send-checkpoint', 'expect'] as const
/** The secondary's operator wants the guest: that is seen to after this checkpoint. */
const asked = <const S extends string>(state: S) => go(state, 'note-asked', 'expect')
const handOver = go('handing', 'send:hand-over', ...announce)

/**
 * The side whose output is seen. `stored` is SVM_READY of the written protocol: the secondary holds the checkpoint and can run from it. Its guest stands
 * from `checkpoint-new` until then, since both have to go on from the same state; what it has sent leaves when the secondary has sent the same, and the
 * rest with `commit`. It runs without a peer only after `won`, after the peer has destroyed its copy, or when the peer never had one.
 *
 * @see docs/specs/libxl-migration-stream.pandoc, "COLO"; tools/libs/light/libxl_colo_save.c
 */
export const primaryTable = {
  start: { begin: go('copying', 'precopy', 'copied') },
  copying: {
    copied: go('sent', 'suspend', 'postsuspend', 'send-memory', 'send-checkpoint', 'expect'),
    stop: go('stopped', 'release-guest'),
    failed: go('failed', 'release-guest'),
    left: go('deserted', 'release-guest'),
    'peer-lost': go('alone', 'release-guest'),
  },
  sent: {
    stored: go('resumed', 'commit', 'preresume', 'resume', 'expect'),
    'hand-over': asked('sent'),
    left: deserted,
    failed: leave,
    'peer-lost': lost,
  },
  resumed: {
    'svm-resumed': go('comparing', 'await-divergence'),
    'hand-over': asked('resumed'),
    left: deserted,
    failed: leave,
    'peer-lost': lost,
  },
  /** Both run, and their output is compared. */
  comparing: {
    diverged: go('suspended', ...announce),
    due: go('suspended', ...announce),
    failover: handOver,
    'hand-over': handOver,
    stop: leave,
    left: deserted,
    failed: leave,
    'peer-lost': lost,
  },
  suspended: {
    'svm-suspended': go('sent', ...send),
    'hand-over': asked('suspended'),
    left: deserted,
    failed: leave,
    'peer-lost': lost,
  },
  /** The last checkpoint: neither goes on after it before the secondary has the guest. */
  handing: {
    'svm-suspended': go('handing', ...send),
    stored: go('handed', 'commit', 'send:yours', 'expect'),
    'hand-over': go('handing', 'expect'),
    left: deserted,
    failed: leave,
    'peer-lost': lost,
  },
  leaving: {
    left: go('stopped', 'resume', 'release-guest'),
    stored: go('leaving', 'expect'),
    'svm-suspended': go('leaving', 'read-dirty-list', 'expect'),
    'svm-resumed': go('leaving', 'expect'),
    'hand-over': go('leaving', 'expect'),
    'peer-lost': lost,
  },
  ...primaryHandsOver,
} as const
