import { describe, expect, it } from 'vitest'
import { realClock, virtualClock } from '@xen-replication/backend-mock'

describe('a virtual clock', () => {
  it('wakes sleepers in the order of their times, each at its own', async () => {
    const clock = virtualClock({ start: 100 })
    const woken: (readonly [string, number])[] = []
    const sleep = (name: string, ms: number): Promise<void> => clock.sleep(ms).then(() => void woken.push([name, clock.now()]))
    void sleep('late', 30)
    void sleep('soon', 10).then(() => sleep('again', 5))
    void sleep('never', 31)
    await clock.advance(30)
    expect(woken).toEqual([['soon', 110], ['again', 115], ['late', 130]])
    expect(clock.now()).toBe(130)
  })

  it('jumps to the next sleeper when it is told to', async () => {
    const clock = virtualClock({ idle: 'jump' })
    await Promise.all([clock.sleep(500), clock.sleep(20)])
    expect(clock.now()).toBe(500)
  })
})

describe.each([
  ['virtual', () => virtualClock()],
  ['real', realClock],
] as const)('a %s clock', (_, make) => {
  it('stops a sleep at once when its signal aborts, before it or in it', async () => {
    const clock = make()
    const reason = new Error('enough')
    await expect(clock.sleep(1e6, AbortSignal.abort(reason))).rejects.toBe(reason)
    const abort = new AbortController()
    const asleep = clock.sleep(1e6, abort.signal)
    abort.abort('a text')
    await expect(asleep).rejects.toMatchObject({ name: 'AbortError', cause: 'a text' })
  })
})

it('a real clock never goes back, and sleeps about as long as asked', async () => {
  const clock = realClock()
  const before = clock.now()
  await clock.sleep(20, new AbortController().signal)
  expect(clock.now() - before).toBeGreaterThanOrEqual(19)
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(10_000)
})
