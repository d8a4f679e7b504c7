import { go, type Table } from '@xen-replication/plugin-api'

/** Where a passive secondary is; `over` is the end, with the last complete checkpoint in the store. */
export type SecondaryState = 'starting' | 'loading' | 'guarding' | 'asked' | 'filling' | 'over'

/** Messages of the primary are events by their names. */
export type SecondaryEvent = 'begin' | 'loaded' | 'checkpoint-request' | 'vmstate-send' | 'vmstate-size' | 'ended' | 'lost'

export type SecondaryEffect =
  | 'read-stream'
  | 'read-memory'
  | 'read-devices'
  | 'store'
  | 'drop'
  | 'expect'
  | 'send:checkpoint-ready'
  | 'send:checkpoint-reply'
  | 'send:vmstate-received'
  | 'send:vmstate-loaded'

const over = { lost: go('over', 'drop'), ended: go('over', 'drop') }

/**
 * The secondary's side of a checkpoint, when it has no guest of its own to stop and to load: it stores, and `vmstate-received` says so.
 *
 * Source: QEMU 7.2, migration/colo.c, colo_incoming_process_checkpoint.
 */
export const secondaryTable: Table<SecondaryState, SecondaryEvent, SecondaryEffect> = {
  starting: { begin: go('loading', 'read-stream'), ...over },
  loading: { loaded: go('guarding', 'store', 'send:checkpoint-ready', 'expect'), ...over },
  guarding: { 'checkpoint-request': go('asked', 'send:checkpoint-reply', 'expect'), ...over },
  asked: { 'vmstate-send': go('filling', 'read-memory', 'expect'), ...over },
  filling: { 'vmstate-size': go('guarding', 'read-devices', 'store', 'send:vmstate-received', 'send:vmstate-loaded', 'expect'), ...over },
  over: {},
}
