import { describe, expect, it } from 'vitest'
import { watchPair } from '../../src/pair/watch.ts'
import { ToldQmp } from './told-qmp.ts'
import { TurnedClock } from './turned-clock.ts'

const times = { heartbeatMs: 100, silenceMs: 1000, stallMs: 3000 }

interface Watched {
  readonly primary: ToldQmp
  readonly secondary: ToldQmp
  readonly clock: TurnedClock
  readonly stop: AbortController
  readonly pauses: number[]
  readonly end: Promise<string>
  /** Undefined while it goes on. */
  readonly event: () => string | undefined
}

function watched(): Watched {
  const [primary, secondary, clock, stop, pauses] = [new ToldQmp(), new ToldQmp(), new TurnedClock(), new AbortController(), [] as number[]]
  let event: string | undefined
  const end = watchPair({ monitors: { primary, secondary }, clock, signal: stop.signal, times, checkpoint: (ms) => pauses.push(ms) })
  end.then((one) => (event = one), () => undefined)
  return { primary, secondary, clock, stop, pauses, end, event: () => event }
}

describe('the watcher of a pair', () => {
  it('goes on while both answer, and tells how long the guest stood for each checkpoint', async () => {
    const { primary, secondary, clock, stop, pauses, end, event } = watched()
    for (const pause of [5, 700]) {
      await clock.turn(400)
      primary.emit('STOP')
      secondary.emit('STOP')
      primary.status = secondary.status = 'colo'
      await clock.turn(pause)
      primary.status = secondary.status = 'running'
      secondary.emit('RESUME')
      primary.emit('RESUME')
    }
    await clock.turn(10_000)
    expect([event(), pauses]).toEqual([undefined, [5, 700]])
    stop.abort(new Error('enough'))
    await clock.turn(100)
    await expect(end).rejects.toThrow('enough')
    expect([primary.watchers, secondary.watchers]).toEqual([0, 0])
  })

  it.each([
    ['primary', 'primary-lost'],
    ['secondary', 'secondary-lost'],
  ] as const)('tells at once that the %s is gone', async (side, told) => {
    const all = watched()
    await all.clock.turn(500)
    all[side].die()
    await all.clock.turn(100)
    expect(all.event()).toBe(told)
  })

  it.each([
    ['primary', 'primary-lost'],
    ['secondary', 'secondary-lost'],
  ] as const)('takes a %s for lost that has not answered for as long as was said, not sooner', async (side, told) => {
    const all = watched()
    await all.clock.turn(500)
    all[side].mood = 'is stuck'
    await all.clock.turn(900)
    expect(all.event()).toBeUndefined()
    await all.clock.turn(300)
    expect(all.event()).toBe(told)
  })

  it('tells when neither is there', async () => {
    const { primary, secondary, clock, event } = watched()
    primary.mood = 'is stuck'
    secondary.mood = 'is stuck'
    await clock.turn(1200)
    expect(event()).toBe('both-lost')
  })

  it('takes a side that has left COLO for a link that is lost, unless it turns out why', async () => {
    const [cut, dead] = [watched(), watched()]
    for (const { primary, clock } of [cut, dead]) {
      await clock.turn(100)
      primary.emit('COLO_EXIT')
      await clock.turn(800)
    }
    expect([cut.event(), dead.event()]).toEqual([undefined, undefined])
    dead.secondary.die()
    for (const { clock } of [cut, dead]) await clock.turn(400)
    expect([cut.event(), dead.event()]).toEqual(['link-lost', 'secondary-lost'])
  })

  it.each(['primary', 'secondary'] as const)('does not leave the guest of the %s standing for longer than was said, even where no event tells it', async (side) => {
    const all = watched()
    await all.clock.turn(100)
    all[side].status = 'colo'
    await all.clock.turn(2900)
    expect(all.event()).toBeUndefined()
    await all.clock.turn(500)
    expect(all.event()).toBe('link-lost')
  })
})
