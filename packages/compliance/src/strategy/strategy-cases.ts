import { optionValues, step, type EffectPorts, type OptionValues, type Role } from '@xen-replication/plugin-api'
import assert from 'node:assert/strict'
import { check, failsWith, type Case } from '../case.ts'
import { pairCases } from './pair-cases.ts'
import type { StrategyBench } from './strategy-bench.ts'
import { ends, exposed, linesOf, ownEffects, reachable, TAKING_OVER } from './table-rules.ts'

/** A case for either side. */
function sides(name: string, body: (role: Role, bench: StrategyBench) => Promise<void> | void): Case<StrategyBench> {
  return check(name, async (bench) => {
    for (const side of ['primary', 'secondary'] as const) {
      try {
        await body(bench.strategy[side], bench)
      } catch (error) {
        throw error instanceof assert.AssertionError ? new assert.AssertionError({ message: `${side}: ${error.message}` }) : error
      }
    }
  })
}

const tableCases: readonly Case<StrategyBench>[] = [
  sides('every move leads to a state that exists', (role) => {
    for (const { state, event, move } of linesOf(role)) assert.ok(Object.hasOwn(role.table, move.to), `'${event}' in '${state}' leads to '${move.to}', which does not exist`)
    assert.ok(Object.hasOwn(role.table[role.start] ?? {}, role.begin), 'the start has no answer to the first event')
  }),
  sides('every state can be reached', (role) => {
    const found = reachable(role, role.start)
    assert.deepEqual(Object.keys(role.table).filter((state) => !found.has(state)), [], 'dead states')
  }),
  sides('from every state there is a way to an end', (role) => {
    const last = new Set(ends(role))
    assert.ok(last.size > 0, 'there is no end')
    for (const state of Object.keys(role.table)) assert.ok([...reachable(role, state)].some((next) => last.has(next)), `'${state}' never ends`)
  }),
  sides('every event has an answer or is refused, in every state', async ({ table }) => {
    const events = new Set(Object.values(table).flatMap((row) => Object.keys(row)))
    for (const event of [...events, 'no such event', 'constructor', '__proto__']) {
      for (const state of Object.keys(table)) {
        if (Object.hasOwn(table[state] ?? {}, event)) assert.ok(Array.isArray(step(table, state, event).run))
        else await failsWith(() => new Promise((resolve) => resolve(step(table, state, event))), ['REPL_UNEXPECTED_EVENT'], `'${event}' in '${state}'`)
      }
    }
  }),
  sides('wherever the link is used its loss has an answer', (role, { peerEffects }) => {
    for (const state of exposed(role, (effect) => peerEffects.includes(effect))) {
      const answered = Object.hasOwn(role.table[state] ?? {}, role.lost) || ends(role).includes(state)
      assert.ok(answered || onlyAtStart(role, state), `'${state}' has no answer to '${role.lost}'`)
    }
  }),
  sides('a lost link leads to an end, and the peer is not needed on the way', (role, { peerEffects }) => {
    const last = new Set(ends(role))
    const alone = (run: readonly string[]): boolean => !run.some((effect) => effect === 'expect' || effect === 'read-checkpoint' || peerEffects.includes(effect))
    for (const { state, event, move } of linesOf(role)) {
      if (event !== role.lost) continue
      assert.ok(alone(move.run), `'${state}' answers a lost link by waiting for the peer`)
      const after = reachable(role, move.to, (line) => alone(line.move.run))
      assert.ok([...after].some((next) => last.has(next)), `after the link is lost in '${state}' there is no way to an end`)
    }
  }),
  sides('nobody takes over without having won', (role) => {
    const without = reachable(role, role.start, ({ event }) => event !== 'won' && event !== 'failover')
    for (const { state, event, move } of linesOf(role)) {
      if (event === 'won' || event === 'failover' || !without.has(state)) continue
      assert.deepEqual(move.run.filter((effect) => TAKING_OVER.includes(effect)), [], `'${event}' in '${state}' takes over`)
    }
  }),
  sides('whoever has not won does not run on', (role) => {
    for (const { state, move } of linesOf(role).filter(({ event }) => event === 'lost')) {
      assert.deepEqual(move.run.filter((effect) => effect === 'resume' || effect === 'take-over'), [], `'lost' in '${state}' lets the guest run`)
    }
  }),
]

/** The first move: what fails there fails the operation, nothing being in place yet. */
function onlyAtStart(role: Role, state: string): boolean {
  return role.start === state
}

const ownCases: readonly Case<StrategyBench>[] = [
  sides('every effect of its own can be performed, and none is there for nothing', (role, { strategy, options }) => {
    const made = role.effects(portsOf(optionValues(strategy.options, options)))
    assert.deepEqual(Object.keys(made).sort(), [...ownEffects(role)].sort())
  }),
  check('needs are told for every kind of guest', ({ strategy, options }) => {
    for (const kind of ['pv', 'pvh', 'hvm'] as const) {
      const needs = strategy.needs({ kind, options: optionValues(strategy.options, options) })
      assert.ok(Array.isArray(needs) && new Set(needs).size === needs.length)
    }
    return Promise.resolve()
  }),
  check('defaults are within their limits', ({ strategy }) => {
    optionValues(strategy.options, optionValues(strategy.options, {}))
    assert.equal(new Set(strategy.options.map(({ name }) => name)).size, strategy.options.length, 'two options have one name')
    return Promise.resolve()
  }),
  check('what one side sends the other understands', ({ strategy: { primary, secondary } }) => {
    for (const [from, to] of [[primary, secondary], [secondary, primary]] as const) {
      const understood = new Set(linesOf(to).map(({ event }) => event))
      const sent = linesOf(from).flatMap(({ move }) => move.run.filter((effect) => effect.startsWith('send:')).map((effect) => effect.slice(5)))
      assert.deepEqual(sent.filter((message) => !understood.has(message)), [], 'messages that the other side never takes')
    }
    return Promise.resolve()
  }),
]

function portsOf(options: OptionValues): EffectPorts {
  const clock = { now: () => 0, sleep: () => Promise.resolve() }
  return { clock, options, signal: new AbortController().signal, request: () => undefined, requested: () => new Promise(() => undefined), diverged: () => new Promise(() => undefined), lastEpoch: () => undefined }
}

/** What every strategy promises: its tables are whole, a lost link ends well, and of a pair at most one guest runs. */
export const strategyCases: readonly Case<StrategyBench>[] = [...tableCases, ...ownCases, ...pairCases]
