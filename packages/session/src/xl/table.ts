import { go, type Table } from '@xen-replication/plugin-api'

/** `unsuspended`: the guest did not answer and has never stood still. `refused`: the receiver reports that its copy does not run. */
export type XlSendEvent = 'begin' | 'banner' | 'saved' | 'unsuspended' | 'ready' | 'renamed' | 'running' | 'refused' | 'returned' | 'failed' | 'peer-lost'
export type XlSendState = 'start' | 'greeting' | 'saving' | 'offered' | 'renaming' | 'handed' | 'refused' | 'moved' | 'kept' | 'untouched' | 'undecided'
export type XlSendEffect =
  | 'await-banner' | 'save' | 'await-ready' | 'rename-away' | 'say-permission' | 'await-report' | 'await-return' | 'rename-back' | 'resume' | 'destroy'

const resumed = go('kept', 'resume')

/** `xl migrate`. Source: xl_migrate.c, migrate_domain(). */
export const xlSendTable: Table<XlSendState, XlSendEvent, XlSendEffect> = {
  start: { begin: go('greeting', 'await-banner') },
  greeting: { banner: go('saving', 'save'), failed: go('untouched'), 'peer-lost': go('untouched') },
  saving: { saved: go('offered', 'await-ready'), unsuspended: go('untouched'), failed: resumed, 'peer-lost': resumed },
  offered: { ready: go('renaming', 'rename-away'), failed: resumed, 'peer-lost': resumed },
  renaming: { renamed: go('handed', 'say-permission', 'await-report'), failed: resumed, 'peer-lost': resumed },
  handed: { running: go('moved', 'destroy'), refused: go('refused', 'await-return'), failed: go('undecided'), 'peer-lost': go('undecided') },
  refused: { returned: go('kept', 'rename-back', 'resume'), failed: go('undecided'), 'peer-lost': go('undecided') },
  moved: {},
  kept: {},
  untouched: {},
  undecided: {},
}

/** `unsaid`: the sender cannot be told any more that the guest is here. */
export type XlReceiveEvent = 'begin' | 'built' | 'unsaid' | 'permission' | 'started' | 'destroyed' | 'failed' | 'peer-lost'
export type XlReceiveState = 'start' | 'building' | 'offering' | 'starting' | 'refusing' | 'dropping' | 'running' | 'dropped' | 'stuck'
export type XlReceiveEffect =
  | 'say-banner' | 'build' | 'say-ready' | 'await-permission' | 'start' | 'report-running' | 'report-failed' | 'destroy' | 'say-permission'

const dropping = go('dropping', 'destroy')
const refusing = go('refusing', 'report-failed', 'destroy')

/**
 * `xl migrate-receive`, with one difference: where xl leaves a paused copy behind because it could not say `ready`, ours is destroyed. On the wire
 * there is none. Source: xl_migrate.c, migrate_receive().
 */
export const xlReceiveTable: Table<XlReceiveState, XlReceiveEvent, XlReceiveEffect> = {
  start: { begin: go('building', 'say-banner', 'build') },
  building: { built: go('offering', 'say-ready', 'await-permission'), failed: dropping, 'peer-lost': dropping },
  offering: { permission: go('starting', 'start'), unsaid: dropping, failed: refusing, 'peer-lost': refusing },
  starting: { started: go('running', 'report-running'), failed: refusing },
  refusing: { destroyed: go('dropped', 'say-permission'), failed: go('stuck') },
  dropping: { destroyed: go('dropped'), failed: go('stuck') },
  running: {},
  dropped: {},
  stuck: {},
}
