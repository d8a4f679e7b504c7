import { go, type Table } from '@xen-replication/plugin-api'

/**
 * What may happen. `peer-lost`: the link is gone for good. `given-back`: the peer's copy is destroyed and will never run. `unsaid`: something came in
 * between before the word was written. `failed`: anything else.
 */
export type SendEvent = 'begin' | 'saved' | 'received' | 'unsaid' | 'running' | 'given-back' | 'peer-lost' | 'failed'
export type SendState = 'start' | 'saving' | 'offered' | 'handed' | 'moved' | 'kept' | 'undecided'
export type SendEffect = 'save' | 'await-received' | 'say-yours' | 'await-running' | 'resume' | 'destroy' | 'tell'

const kept = go('kept', 'resume', 'tell')

/** The sender. Once `yours` may have been written there are three ways on: the peer runs, the peer gives back, or nobody here can know. */
export const sendTable: Table<SendState, SendEvent, SendEffect> = {
  start: { begin: go('saving', 'save') },
  saving: { saved: go('offered', 'await-received'), 'given-back': kept, 'peer-lost': kept, failed: kept },
  offered: { received: go('handed', 'say-yours', 'await-running'), 'given-back': kept, 'peer-lost': kept, failed: kept },
  handed: { running: go('moved', 'destroy'), unsaid: kept, 'given-back': kept, 'peer-lost': go('undecided'), failed: go('undecided', 'tell') },
  moved: {},
  kept: {},
  undecided: {},
}

export type ReceiveEvent = 'begin' | 'built' | 'yours' | 'started' | 'destroyed' | 'peer-lost' | 'failed'
export type ReceiveState = 'start' | 'building' | 'offering' | 'starting' | 'dropping' | 'running' | 'dropped' | 'stuck'
export type ReceiveEffect = 'build' | 'say-received' | 'await-yours' | 'start' | 'say-running' | 'destroy' | 'give-back' | 'tell'

const drop = go('dropping', 'destroy')

/** The receiver. It starts its copy for nothing but `yours`, and gives back only what it has destroyed. */
export const receiveTable: Table<ReceiveState, ReceiveEvent, ReceiveEffect> = {
  start: { begin: go('building', 'build') },
  building: { built: go('offering', 'say-received', 'await-yours'), 'peer-lost': drop, failed: drop },
  offering: { yours: go('starting', 'start'), 'peer-lost': drop, failed: drop },
  starting: { started: go('running', 'say-running'), failed: drop },
  dropping: { destroyed: go('dropped', 'give-back'), failed: go('stuck', 'tell') },
  running: {},
  dropped: {},
  stuck: {},
}
