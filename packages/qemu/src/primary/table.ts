import { go, type Table } from '@xen-replication/plugin-api'

/** Where a primary that replays is; `over` is the end. */
export type PrimaryState = 'starting' | 'presenting' | 'leading' | 'asking' | 'handing' | 'waiting' | 'over'

/** Messages of the secondary are events by their names. `due`: it is time for a checkpoint; `done`: there are no more. */
export type PrimaryEvent = 'begin' | 'checkpoint-ready' | 'due' | 'done' | 'checkpoint-reply' | 'vmstate-received' | 'vmstate-loaded' | 'lost'

export type PrimaryEffect = 'send-stream' | 'pace' | 'send:checkpoint-request' | 'send-memory' | 'send-devices' | 'expect' | 'count'

const lost = go<'over', never>('over')

/**
 * The primary's side of a checkpoint, for one that has no guest: what it sends is known before.
 *
 * Source: QEMU 7.2, migration/colo.c, colo_do_checkpoint_transaction.
 */
export const primaryTable: Table<PrimaryState, PrimaryEvent, PrimaryEffect> = {
  starting: { begin: go('presenting', 'send-stream', 'expect'), lost },
  presenting: { 'checkpoint-ready': go('leading', 'pace'), lost },
  leading: { due: go('asking', 'send:checkpoint-request', 'expect'), done: go('over'), lost },
  asking: { 'checkpoint-reply': go('handing', 'send-memory', 'send-devices', 'expect'), lost },
  handing: { 'vmstate-received': go('waiting', 'expect'), lost },
  waiting: { 'vmstate-loaded': go('leading', 'count', 'pace'), lost },
  over: {},
}
