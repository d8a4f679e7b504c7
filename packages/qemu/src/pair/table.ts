import { go, type Table } from '@xen-replication/plugin-api'

/**
 * Where the watcher of a pair is. Ends: `alone`, one guest goes on by itself; `yielded`, the arbiter gave the guest to somebody else, and it stands
 * here; `undecided`, nobody could say who may run it, and nothing was done.
 */
export type PairState = 'starting' | 'preparing' | 'guarding' | 'judging-primary' | 'judging-secondary' | 'promoting' | 'alone' | 'yielded' | 'undecided'

/** `link-lost`: both QEMUs answer, and they do not replicate any more. */
export type PairEvent = 'begin' | 'replicating' | 'primary-lost' | 'secondary-lost' | 'link-lost' | 'both-lost' | 'won' | 'denied' | 'unknown' | 'runs'

export type PairEffect = 'set-up' | 'watch' | 'claim:primary' | 'claim:secondary' | 'end:primary' | 'end:secondary' | 'fail-over:primary' | 'fail-over:secondary' | 'stop:primary' | 'stop:secondary'

/**
 * Nobody goes on alone without a word of the arbiter. Where both are well and the link is not, the primary is asked for; a secondary that still takes
 * commands ends first. A primary that was taken for lost ends when it takes commands again: QEMU itself asks nobody whether it may go on.
 */
export const pairTable: Table<PairState, PairEvent, PairEffect> = {
  starting: { begin: go('preparing', 'set-up') },
  preparing: { replicating: go('guarding', 'watch') },
  guarding: {
    'primary-lost': go('judging-secondary', 'claim:secondary'),
    'secondary-lost': go('judging-primary', 'end:secondary', 'claim:primary'),
    'link-lost': go('judging-primary', 'end:secondary', 'claim:primary'),
    'both-lost': go('undecided'),
  },
  'judging-primary': { won: go('promoting', 'fail-over:primary'), denied: go('yielded', 'stop:primary'), unknown: go('undecided') },
  'judging-secondary': { won: go('promoting', 'end:primary', 'fail-over:secondary'), denied: go('yielded', 'stop:secondary'), unknown: go('undecided') },
  promoting: { runs: go('alone') },
  alone: {},
  yielded: {},
  undecided: {},
}
