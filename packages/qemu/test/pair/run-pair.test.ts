import { describe, expect, it } from 'vitest'
import type { PairPlan } from '../../src/pair/plan.ts'
import { runPair, type Judgement, type PairEnd, type PairNote } from '../../src/pair/run-pair.ts'
import { ToldQmp } from './told-qmp.ts'
import { TurnedClock } from './turned-clock.ts'

const plan: PairPlan = {
  uri: 'unix:/run/colo', intervalMs: 200, disks: [{ quorum: 'q', parent: 'p' }], nbd: { path: '/run/nbd' },
  networks: [{ netdev: 'hn0', mirror: { path: '/run/mirror' }, compare: { path: '/run/compare' }, vnetHeader: false }],
}
const times = { heartbeatMs: 100, silenceMs: 1000, stallMs: 3000, setUpMs: 5000, failOverMs: 2000 }

interface Rig {
  readonly primary: ToldQmp
  readonly secondary: ToldQmp
  readonly clock: TurnedClock
  readonly stop: AbortController
  readonly notes: PairNote[]
  readonly end: Promise<PairEnd>
}

/** A pair of which both guests run as soon as the primary migrates. */
function rig(judge: Judgement['answer'] = 'granted', before: (primary: ToldQmp, secondary: ToldQmp) => void = () => undefined): Rig {
  const [primary, secondary, clock, stop, notes] = [new ToldQmp(), new ToldQmp(), new TurnedClock(), new AbortController(), [] as PairNote[]]
  secondary.status = 'inmigrate'
  for (const side of [primary, secondary]) {
    side.react = (command) => {
      if (command === 'migrate') {
        primary.mode = 'primary'
        secondary.mode = 'secondary'
        secondary.status = 'running'
      }
      if (command === 'x-colo-lost-heartbeat') Object.assign(side, { mode: 'none', status: 'running' })
      if (command === 'quit') side.die()
    }
  }
  before(primary, secondary)
  const end = runPair({
    monitors: { primary, secondary }, plan, clock, signal: stop.signal, times, session: 's', observe: (note) => notes.push(note),
    judge: () => Promise.resolve({ answer: judge, reason: judge === 'granted' ? undefined : 'so it is' }),
  })
  end.catch(() => undefined)
  return { primary, secondary, clock, stop, notes, end }
}

const deleted = ({ told }: ToldQmp): readonly string[] => told.filter(({ command }) => command === 'object-del').map(({ args }) => String(args?.['id']))

describe('a pair', () => {
  it('goes on at the secondary when the primary is gone: the word first, then its filters, and what connections need stays', async () => {
    const { primary, secondary, clock, end } = rig()
    await clock.turn(500)
    primary.die()
    await clock.turn(1000)
    expect(await end).toMatchObject({ end: 'alone', because: 'primary-lost', side: 'secondary', reason: undefined })
    const behind = secondary.commands.slice(secondary.commands.indexOf('nbd-server-stop'))
    expect(behind.slice(0, 2)).toEqual(['nbd-server-stop', 'x-colo-lost-heartbeat'])
    expect(deleted(secondary)).toEqual(['xr-0-f2', 'xr-0-f1', 'xr-0-f0'])
  })

  it('tells a primary to end that only did not answer', async () => {
    const { primary, clock, end } = rig()
    await clock.turn(500)
    primary.mood = 'is stuck'
    await clock.turn(2000)
    expect(await end).toMatchObject({ end: 'alone', because: 'primary-lost', side: 'secondary' })
    expect(primary.commands.slice(-2)).toEqual(['stop', 'quit'])
  })

  it('goes on at the primary when the secondary is gone: packets turn away from the comparison before it goes, then the word', async () => {
    const { primary, secondary, clock, end } = rig()
    await clock.turn(500)
    secondary.die()
    await clock.turn(2000)
    expect(await end).toMatchObject({ end: 'alone', because: 'secondary-lost', side: 'primary' })
    expect(deleted(primary)).toEqual(['xr-0-redire1', 'xr-0-comp', 'xr-0-thread', 'xr-0-redire0', 'xr-0-m0'])
    expect(primary.commands.at(-1)).toBe('x-colo-lost-heartbeat')
    expect(primary.commands.indexOf('x-blockdev-change', primary.commands.indexOf('migrate'))).toBeGreaterThan(0)
  })

  it('that has come apart ends the secondary and goes on at the primary', async () => {
    const { primary, secondary, clock, end } = rig()
    await clock.turn(500)
    primary.emit('COLO_EXIT')
    await clock.turn(3000)
    expect(await end).toMatchObject({ end: 'alone', because: 'link-lost', side: 'primary' })
    expect(secondary.commands.slice(-2)).toEqual(['stop', 'quit'])
  })

  it('stops the guest that is left when that is denied', async () => {
    const { primary, secondary, clock, end } = rig('denied')
    await clock.turn(500)
    primary.die()
    await clock.turn(1000)
    expect(await end).toMatchObject({ end: 'yielded', side: 'secondary', reason: 'so it is' })
    expect(secondary.commands.at(-1)).toBe('stop')
    expect(secondary.commands).not.toContain('x-colo-lost-heartbeat')
  })

  it('is left as it is when nobody knows, and when neither answers', async () => {
    const [unknown, both] = [rig('unknown'), rig()]
    for (const { clock } of [unknown, both]) await clock.turn(500)
    const before = unknown.secondary.commands.length
    unknown.primary.die()
    both.primary.mood = 'is stuck'
    both.secondary.mood = 'is stuck'
    for (const { clock } of [unknown, both]) await clock.turn(2000)
    expect(await unknown.end).toMatchObject({ end: 'undecided', because: 'primary-lost', reason: 'so it is' })
    expect(unknown.secondary.commands.length).toBe(before)
    expect(await both.end).toMatchObject({ end: 'undecided', because: 'both-lost', side: undefined })
  })

  it('says that the guest that is left did not go on in time', async () => {
    const { primary, secondary, clock, end } = rig()
    await clock.turn(500)
    secondary.react = () => undefined
    secondary.mode = 'secondary'
    primary.die()
    await clock.turn(5000)
    await expect(end).rejects.toMatchObject({ code: 'QEMU_FAILOVER' })
  })

  it('is not touched any more when its watcher is called off', async () => {
    const { primary, secondary, clock, stop, end } = rig()
    await clock.turn(500)
    const before = [primary.commands.length, secondary.commands.length]
    stop.abort(new Error('called off'))
    await clock.turn(500)
    await expect(end).rejects.toThrow('called off')
    expect([primary.commands.length, secondary.commands.length]).toEqual(before)
  })
})

describe('a pair that does not come about', () => {
  /** What was begun and not taken away again. */
  const idOf = (args: ToldQmp['told'][number]['args']): string => (args?.['id'] ?? args?.['node-name'] ?? '') as string
  const left = ({ told }: ToldQmp): readonly string[] => {
    const ids = new Set<string>()
    for (const { command, args } of told) {
      if (command.endsWith('-add')) ids.add(idOf(args))
      if (command.endsWith('-del') || command.endsWith('-remove')) ids.delete(idOf(args))
    }
    return [...ids].filter((id) => id !== '')
  }

  it('because of a primary that does not run leaves both as they were', async () => {
    const { primary, secondary, clock, end } = rig('granted', (one) => (one.status = 'paused'))
    await clock.turn(100)
    await expect(end).rejects.toMatchObject({ code: 'QEMU_PAIR' })
    expect([primary.commands, secondary.commands]).toEqual([[], []])
  })

  it.each(['colo-compare', 'filter-mirror', 'filter-rewriter'])('because %s is refused has everything before it taken away', async (type) => {
    const refuse = (command: string, args: Readonly<Record<string, unknown>> | undefined): boolean => command === 'object-add' && args?.['qom-type'] === type
    const { primary, secondary, clock, end } = rig('granted', (...both) => both.forEach((one) => (one.refuses = refuse)))
    await clock.turn(100)
    await expect(end).rejects.toMatchObject({ code: 'QMP_REFUSED' })
    const refused = (id: string): boolean => /comp$|m0$|rewriter$/.test(id) // was told, and was not made
    expect([left(primary).filter((id) => !refused(id)), left(secondary).filter((id) => !refused(id))]).toEqual([[], []])
    expect(primary.commands.slice(-1)).toEqual(['cont'])
  })

  it('because the migration failed, or because it takes too long, has the guest go on', async () => {
    const failed = rig('granted', (one, other) => {
      one.migration = { status: 'failed', 'error-desc': 'no route' }
      one.react = other.react = () => undefined
    })
    const late = rig('granted', (one, other) => (one.react = other.react = () => undefined))
    for (const { clock } of [failed, late]) await clock.turn(6000)
    await expect(failed.end).rejects.toThrow(/failed: no route/)
    await expect(late.end).rejects.toThrow(/does not run the guest after 5000 ms/)
    for (const { primary } of [failed, late]) expect(primary.commands).toEqual(expect.arrayContaining(['migrate_cancel', 'cont']))
  })

  it('because it is called off has the guest go on', async () => {
    const { primary, clock, stop, end } = rig('granted', (one, other) => (one.react = other.react = () => undefined))
    await clock.turn(500)
    stop.abort(new Error('called off'))
    await clock.turn(500)
    await expect(end).rejects.toThrow('called off')
    expect(primary.commands).toEqual(expect.arrayContaining(['migrate_cancel', 'cont']))
  })
})
