import { defineRole, go, isSharedEffect, needsPeer, optionValues, sharedEffects, sharedEvents, type OptionSpec, type Table } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'

describe('the effects every strategy may use', () => {
  it('are known by name; messages are sent by send: and a name', () => {
    expect(isSharedEffect('suspend')).toBe(true)
    expect(isSharedEffect('send:svm-ready')).toBe(true)
    expect(isSharedEffect('wait-interval')).toBe(false)
    expect(isSharedEffect('toString')).toBe(false)
  })

  it('say whether they need the peer', () => {
    expect(['expect', 'send:x', 'send-staged', 'read-checkpoint'].every(needsPeer)).toBe(true)
    expect(['suspend', 'arbitrate', 'apply', 'wait-interval', 'toString'].some(needsPeer)).toBe(false)
  })

  it('are explained in a sentence each, and so are events', () => {
    for (const text of [...Object.values(sharedEffects), ...Object.values(sharedEvents)]) expect(text).toMatch(/^[A-Z].*\.$/)
  })
})

describe('a role', () => {
  it('keeps its table and makes its own effects for each session', async () => {
    const table = {
      start: { begin: go('waiting', 'send:hello', 'pause') },
      waiting: { again: go('waiting', 'pause'), 'peer-lost': go('over') },
      over: {},
    } satisfies Table<'start' | 'waiting' | 'over', 'begin' | 'again' | 'peer-lost', 'send:hello' | 'pause'>
    const role = defineRole({ table, start: 'start', begin: 'begin', lost: 'peer-lost', effects: () => ({ pause: () => Promise.resolve('again' as const) }) })
    const { pause } = role.effects(undefined as never)
    expect(role.table).toBe(table)
    expect(await pause?.()).toBe('again')
  })
})

describe('options of a strategy', () => {
  const specs: readonly OptionSpec[] = [
    { name: 'interval', short: 'i', unit: 'ms', fallback: 200, least: 1, most: 60_000, summary: 'time between checkpoints', source: 'xl remus' },
    { name: 'blackhole', unit: 'flag', fallback: false, summary: 'send nowhere', source: 'xl remus' },
    { name: 'script', unit: 'text', fallback: '', summary: 'a command', source: 'xl.conf' },
  ]

  it('have their defaults where nothing was given', () => {
    expect(optionValues(specs, { blackhole: true })).toEqual({ interval: 200, blackhole: true, script: '' })
  })

  it.each([
    [{ interval: 0 }, "'interval' is 0"],
    [{ interval: 60_001 }, "'interval' is 60001"],
    [{ interval: Number.NaN }, "'interval' is NaN"],
    [{ interval: '200ms' }, "'interval' takes a number"],
    [{ blackhole: 1 }, "'blackhole' takes a boolean"],
    [{ wat: 1 }, "there is no option 'wat'"],
  ])('refuse %o', (given, message) => {
    expect(() => optionValues(specs, given)).toThrow(expect.objectContaining({ code: 'REPL_OPTION', message }) as Error)
  })

  it('say so when there are none', () => {
    expect(() => optionValues([], { wat: 1 })).toThrow(expect.objectContaining({ hint: 'known: none' }) as Error)
  })
})
