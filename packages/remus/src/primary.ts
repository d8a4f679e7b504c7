import { go } from '@xen-replication/plugin-api'

/** Whoever has lost its peer stands still until it is known who may run the guest. */
const lost = go('arbitrating', 'stand', 'arbitrate')
/** Whoever has given the guest away cannot know whether the peer runs it: what is here is not destroyed because the peer may. */
const doubt = go('doubting', 'stand', 'arbitrate')
const leave = go('leaving', 'send:leave', 'expect')
const deserted = go('deserted', 'resume', 'release-guest')
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
  handed: {
    taken: go('moved', 'destroy'),
    refused: deserted,
    left: deserted,
    'peer-lost': doubt,
  },
  leaving: {
    left: go('stopped', 'resume', 'release-guest'),
    stored: go('leaving', 'expect'),
    'hand-over': go('leaving', 'expect'),
    'peer-lost': lost,
  },
  arbitrating: {
    won: go('winning', 'take-over', 'resume', 'done'),
    lost: go('yielded', 'destroy'),
    unknown: go('standing', 'await-word'),
  },
  standing: {
    again: lost,
    failover: go('winning', 'take-over', 'resume', 'done'),
    stop: go('paused'),
  },
  winning: { done: go('alone'), fenced: go('standing', 'await-word') },
  doubting: {
    won: go('regaining', 'take-over', 'resume', 'done'),
    lost: go('parked'),
    unknown: go('wondering', 'await-word'),
  },
  wondering: {
    again: doubt,
    failover: go('regaining', 'take-over', 'resume', 'done'),
    stop: go('parked'),
  },
  regaining: { done: go('alone'), fenced: go('wondering', 'await-word') },
  /** Runs on without a peer: it is lost, and may not run the guest. */
  alone: {},
  /** Runs on without a peer: it has given up. */
  deserted: {},
  /** Runs on without a peer, as the operator wants. */
  stopped: {},
  /** Runs on without a peer: this side could not go on. */
  failed: {},
  /** The guest runs at the peer, handed over. */
  moved: {},
  /** The guest may run at the peer; here it is destroyed. */
  yielded: {},
  /** Nobody could say who may run it; here it is paused. */
  paused: {},
  /** The guest was given away, and whether it runs at the peer nobody has heard; here it is paused, in case it does not. */
  parked: {},
} as const
