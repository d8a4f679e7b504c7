import { drive, go, isEnd, LinkError, ReplError, step, type Table } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'

type State = 'start' | 'running' | 'arbitrating' | 'alone' | 'yielded'
type Event = 'begin' | 'again' | 'stop' | 'peer-lost' | 'won' | 'lost'
type Effect = 'suspend' | 'resume' | 'send' | 'expect' | 'arbitrate'

const table = {
  start: { begin: go('running', 'suspend', 'send', 'resume', 'expect') },
  running: { again: go('running', 'suspend', 'send', 'resume', 'expect'), stop: go('yielded'), 'peer-lost': go('arbitrating', 'arbitrate') },
  arbitrating: { won: go('alone', 'resume'), lost: go('yielded') },
  alone: {},
  yielded: {},
} satisfies Table<State, Event, Effect>

/** Performs effects from a script: an error is thrown, a string yielded. */
function scripted(answers: Partial<Record<Effect, (Event | Error | undefined)[]>>, log: string[] = []) {
  const perform = (effect: Effect): Promise<Event | undefined> => {
    log.push(effect)
    const answer = answers[effect]?.shift()
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
  }
  return { start: 'start', begin: 'begin', lost: 'peer-lost', perform } as const
}

describe('a table that is driven', () => {
  it('goes from event to event until a state after which nothing happens', async () => {
    const log: string[] = []
    const end = await drive<State, Event, Effect>(table, scripted({ expect: ['again', 'stop'] }, log))
    expect(end).toBe('yielded')
    expect(log).toEqual(['suspend', 'send', 'resume', 'expect', 'suspend', 'send', 'resume', 'expect'])
  })

  it.each(['LINK_LOST', 'LINK_TIMEOUT'] as const)('takes %s for the event of a lost link, and leaves out what was still to be done', async (code) => {
    const log: string[] = []
    const end = await drive<State, Event, Effect>(table, scripted({ send: [new LinkError(code, 'cut')], arbitrate: ['won'] }, log))
    expect(end).toBe('alone')
    expect(log).toEqual(['suspend', 'send', 'arbitrate', 'resume'])
  })

  it('stops with any other error of an effect', async () => {
    await expect(drive<State, Event, Effect>(table, scripted({ suspend: [new LinkError('LINK_CLOSED', 'closed here')] }))).rejects.toMatchObject({ code: 'LINK_CLOSED' })
  })

  it('passes the lost link on where the table has no answer to it', async () => {
    await expect(drive<State, Event, Effect>(table, scripted({ expect: ['peer-lost'], arbitrate: [new LinkError('LINK_LOST', 'cut')] }))).rejects.toMatchObject({ code: 'LINK_LOST' })
  })

  it('does not perform effects behind one that says what happens next', async () => {
    const log: string[] = []
    await drive<State, Event, Effect>(table, scripted({ suspend: ['stop'] }, log))
    expect(log).toEqual(['suspend'])
  })

  it('never goes on by an old event when nothing new happened', async () => {
    await expect(drive<State, Event, Effect>(table, scripted({}))).rejects.toMatchObject({ code: 'REPL_NO_EVENT' })
  })

  it('tells of each move before its effects', async () => {
    const log: string[] = []
    const onMove = (from: string, event: string, to: string): void => void log.push(`${from} ${event} ${to}`)
    await drive<State, Event, Effect>(table, { ...scripted({ expect: ['stop'] }, log), onMove })
    expect(log).toEqual(['start begin running', 'suspend', 'send', 'resume', 'expect', 'running stop yielded'])
  })

  it('stops between two moves when the operation is called off', async () => {
    const abort = new AbortController()
    const run = scripted({ expect: ['again', 'again'] })
    let moves = 0
    const onMove = (): void => void (++moves === 2 && abort.abort(new Error('called off')))
    await expect(drive<State, Event, Effect>(table, { ...run, onMove, signal: abort.signal })).rejects.toThrow('called off')
    expect(moves).toBe(2)
  })
})

describe('an event that a state does not allow', () => {
  it('is refused with the state and what would be allowed', () => {
    expect(() => step<State, Event, Effect>(table, 'arbitrating', 'again')).toThrow(
      expect.objectContaining({ code: 'REPL_UNEXPECTED_EVENT', message: "'again' is not allowed in state 'arbitrating'", hint: 'allowed: won, lost' }) as ReplError,
    )
  })

  it('is refused in an end state', () => {
    expect(() => step<State, Event, Effect>(table, 'alone', 'won')).toThrow(expect.objectContaining({ code: 'REPL_UNEXPECTED_EVENT', hint: 'the state is an end' }) as ReplError)
  })

  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])('is refused even when the peer calls it %s', (event) => {
    expect(() => step(table as Table<string, string, string>, 'running', event)).toThrow(expect.objectContaining({ code: 'REPL_UNEXPECTED_EVENT' }) as ReplError)
  })

  it('is refused when the state does not exist', () => {
    expect(() => isEnd(table, 'constructor')).toThrow(expect.objectContaining({ code: 'REPL_UNEXPECTED_EVENT' }) as ReplError)
  })
})
