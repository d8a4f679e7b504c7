import { describe, expect, it } from 'vitest'
import { pairTable, type PairEvent, type PairState } from '../../src/pair/table.ts'

type Moves = Readonly<Partial<Record<PairEvent, { readonly to: PairState; readonly run: readonly string[] }>>>
const movesOf = (state: PairState): Moves => pairTable[state]
const states = Object.keys(pairTable) as PairState[]

/** Every way from the start to an end, as events and effects in order. */
function waysFrom(state: PairState, way: readonly string[]): readonly (readonly string[])[] {
  const moves = Object.entries(movesOf(state))
  if (moves.length === 0) return [[...way, state]]
  return moves.flatMap(([event, { to, run }]) => waysFrom(to, [...way, event, ...run]))
}

describe('whoever watches a pair', () => {
  const ways = waysFrom('starting', [])

  it('lets a guest go on alone only when that was granted to this side', () => {
    const promoted = ways.filter((way) => way.some((word) => word.startsWith('fail-over:')))
    expect(promoted.length).toBeGreaterThan(0)
    for (const way of promoted) {
      const side = way.find((word) => word.startsWith('fail-over:'))?.split(':')[1] ?? ''
      expect(way.slice(0, way.indexOf(`fail-over:${side}`)).slice(way.indexOf(`claim:${side}`))).toEqual(expect.arrayContaining([`claim:${side}`, 'won']))
    }
  })

  it('never lets both go on, and never asks for both', () => {
    for (const way of ways) {
      expect(way.filter((word) => word.startsWith('claim:')).length).toBeLessThanOrEqual(1)
      expect(way.filter((word) => word.startsWith('fail-over:')).length).toBeLessThanOrEqual(1)
    }
  })

  it('ends the secondary before the primary is asked for', () => {
    const asked = ways.filter((way) => way.includes('claim:primary'))
    expect(asked.length).toBeGreaterThan(0)
    for (const way of asked) expect(way.indexOf('end:secondary')).toBe(way.indexOf('claim:primary') - 1)
  })

  it('does nothing where neither answers, and where nobody knows', () => {
    for (const way of ways.filter((one) => one.includes('both-lost'))) expect(way.slice(way.indexOf('both-lost'))).toEqual(['both-lost', 'undecided'])
    for (const way of ways.filter((one) => one.includes('unknown'))) expect(way.slice(way.indexOf('unknown'))).toEqual(['unknown', 'undecided'])
  })

  it('stops the guest that is left where it is denied', () => {
    for (const way of ways.filter((one) => one.includes('denied'))) expect(way.slice(way.indexOf('denied'))).toEqual(['denied', way.includes('claim:primary') ? 'stop:primary' : 'stop:secondary', 'yielded'])
  })

  it('comes to an end from everywhere', () => {
    for (const state of states) expect(waysFrom(state, []).every((way) => ['alone', 'yielded', 'undecided'].includes(way.at(-1) ?? ''))).toBe(true)
  })
})
