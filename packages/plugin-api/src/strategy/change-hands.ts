import { go } from './machine.ts'

/** A primary that has lost its peer stands still until it is known who may run the guest. */
export const primaryLost = go('arbitrating', 'stand', 'arbitrate')

/** The peer has destroyed its copy, so the guest goes on here. */
export const deserted = go('deserted', 'resume', 'release-guest')

/** Whoever has given the guest away cannot know whether the peer runs it: what is here is not destroyed because the peer may. */
const doubt = go('doubting', 'stand', 'arbitrate')

/**
 * Rows of a primary for when the guest changes hands, by agreement or since the peer is lost, to be spread into its table. It needs the effects `done`
 * and `await-word` of the strategy; the row that leads to `handed` says `yours`.
 */
export const primaryHandsOver = {
  handed: {
    taken: go('moved', 'destroy'),
    refused: deserted,
    left: deserted,
    'peer-lost': doubt,
  },
  arbitrating: {
    won: go('winning', 'take-over', 'resume', 'done'),
    lost: go('yielded', 'destroy'),
    unknown: go('standing', 'await-word'),
  },
  standing: {
    again: primaryLost,
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

/** A secondary's copy is destroyed before the primary hears that it is. */
export const secondaryLeaves = go('leaving', 'destroy', 'send:left', 'done')
const refusing = go('leaving', 'destroy', 'send:refused', 'done')

/**
 * Rows of a secondary for when the guest changes hands, as `primaryHandsOver`. It needs the effects `done`, `ran` and `await-word` of the strategy; `yours`
 * leads to `offered`, a lost peer to `arbitrating`, both with `arbitrate`.
 */
export const secondaryTakesOver = {
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
