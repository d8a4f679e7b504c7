import type { StrategyBench } from '@xen-replication/compliance'
import { go, type Move, type Role, type Strategy } from '@xen-replication/plugin-api'

type Rows = Record<string, Record<string, Move<string, string>>>

const lost = go('arbitrating', 'arbitrate')

const primaryRows = (): Rows => ({
  start: { begin: go('sent', 'precopy', 'suspend', 'postsuspend', 'stage', 'preresume', 'resume', 'send-staged', 'expect') },
  sent: { stored: go('waiting', 'commit', 'wait-interval'), 'peer-lost': lost },
  waiting: { due: go('sent', 'suspend', 'postsuspend', 'stage', 'preresume', 'resume', 'send-staged', 'expect'), stop: go('stopped', 'release-guest'), 'peer-lost': lost },
  arbitrating: { won: go('alone', 'take-over'), lost: go('yielded', 'destroy') },
  alone: {}, yielded: {}, stopped: {},
})

const secondaryRows = (): Rows => ({
  start: { begin: go('base', 'read-checkpoint') },
  base: { 'checkpoint-read': go('holding', 'store', 'apply', 'send:stored', 'read-checkpoint'), 'peer-lost': go('failed', 'destroy') },
  holding: { 'checkpoint-read': go('holding', 'store', 'apply', 'send:stored', 'read-checkpoint'), 'peer-lost': go('arbitrating', 'drop', 'arbitrate') },
  arbitrating: { won: go('active', 'take-over'), lost: go('failed', 'destroy') },
  active: {}, failed: {},
})

const edits: Readonly<Record<string, (primary: Rows, secondary: Rows) => void>> = {
  'goes-nowhere': (p) => Object.assign(p['waiting'] ?? {}, { stop: go('elsewhere') }),
  'dead-state': (p) => Object.assign(p, { unused: { stop: go('stopped') } }),
  'no-way-out': (_p, s) => Object.assign(s, { active: { again: go('active') } , failed: { again: go('active') } }),
  'loss-unanswered': (p) => void delete p['sent']?.['peer-lost'],
  'waits-for-the-lost': (p) => Object.assign(p['sent'] ?? {}, { 'peer-lost': go('sent', 'expect') }),
  'takes-over-alone': (_p, s) => Object.assign(s['holding'] ?? {}, { 'peer-lost': go('active', 'take-over') }),
  'runs-on': (p) => Object.assign(p['arbitrating'] ?? {}, { lost: go('yielded', 'resume') }),
  'not-understood': (_p, s) => Object.assign(s['holding'] ?? {}, { 'checkpoint-read': go('holding', 'store', 'apply', 'send:kept', 'read-checkpoint') }),
  'releases-early': (p) => Object.assign(p['waiting'] ?? {}, { due: go('sent', 'suspend', 'postsuspend', 'stage', 'preresume', 'resume', 'send-staged', 'commit', 'expect') }),
  'stages-running': (p) => Object.assign(p['waiting'] ?? {}, { due: go('sent', 'postsuspend', 'stage', 'send-staged', 'expect') }),
  'nobody-runs': (p) => Object.assign(p['arbitrating'] ?? {}, { won: go('alone', 'destroy') }),
  'shadow-stays': (_p, s) => Object.assign(s, { arbitrating: { won: go('active', 'take-over'), lost: go('failed') }, holding: { ...s['holding'], 'peer-lost': go('arbitrating', 'drop', 'resume', 'arbitrate') } }),
}

/** A Remus small enough to be read, with a fault to be found. */
export function tinyStrategy(fault = ''): StrategyBench {
  const is = (name: string): boolean => fault === name
  const [p, s] = [primaryRows(), secondaryRows()]
  edits[fault]?.(p, s)
  const role = (table: Rows, effects: Role['effects']): Role => ({ table, start: 'start', begin: 'begin', lost: 'peer-lost', effects })
  const strategy: Strategy = {
    summary: 'checkpoints',
    options: [
      { name: 'interval', unit: 'ms', fallback: is('default-too-large') ? 1e9 : 200, least: 1, most: 60_000, summary: 'time between two', source: 'xl remus' },
    ],
    needs: () => (is('needs-twice') ? ['fast-resume', 'fast-resume'] : ['fast-resume']),
    primary: role(is('answers-all') ? answersAll(p) : p, () => (is('effect-missing') ? {} : { 'wait-interval': () => Promise.resolve('due') })),
    secondary: role(s, () => ({})),
  }
  return { strategy, peerEffects: ['wait-interval'], yields: (effect) => (effect === 'wait-interval' ? 'due' : undefined), options: { interval: 100 }, close: () => Promise.resolve() }
}

/** A table that claims to have rows which then hold nothing. */
function answersAll(rows: Rows): Rows {
  return Object.fromEntries(Object.entries(rows).map(([state, row]) => [state, Object.keys(row).length === 0 ? row : { ...row, stop: {} as Move<string, string> }]))
}
