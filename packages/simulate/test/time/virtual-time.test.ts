import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { processClock } from '../../src/time/process-clock.ts'
import { SimProcess } from '../../src/time/sim-process.ts'
import { letRun, VirtualTime } from '../../src/time/virtual-time.ts'

const toItsEnd = (time: VirtualTime): Promise<void> => letRun(time, () => false)

describe('virtual time', () => {
  it('has things happen by time, and in the order in which they were planned where times are the same', () => fc.assert(fc.property(fc.array(fc.nat(20), { maxLength: 60 }), (delays) => {
    const time = new VirtualTime()
    const seen: (readonly [number, number])[] = []
    delays.forEach((ms, i) => time.after(ms, () => seen.push([time.now, i])))
    while (time.step());
    const sorted = delays.map((ms, i) => [ms, i] as const).sort(([at, i], [other, j]) => at - other || i - j)
    expect(seen).toEqual(sorted)
  })))

  it('forgets what was called off', () => {
    const time = new VirtualTime()
    const seen: number[] = []
    const callOff = time.after(5, () => seen.push(5))
    time.after(6, () => seen.push(6))
    callOff()
    while (time.step());
    expect(seen).toEqual([6])
  })

  it('has all promises settled before the next thing happens', async () => {
    const time = new VirtualTime()
    const seen: string[] = []
    time.after(1, () => void (async () => {
      for (let i = 0; i < 50; i += 1) await Promise.resolve()
      seen.push('first')
    })())
    time.after(1, () => seen.push('second'))
    await toItsEnd(time)
    expect(seen).toEqual(['first', 'second'])
  })

  it('hands on what something that happens throws', async () => {
    const time = new VirtualTime()
    time.after(1, () => {
      throw new Error('thrown')
    })
    await expect(toItsEnd(time)).rejects.toThrow('thrown')
  })
})

describe('a process', () => {
  it('does nothing any more once it is killed', async () => {
    const time = new VirtualTime()
    const process = new SimProcess('a', time)
    const seen: string[] = []
    void process.pause(1).then(() => seen.push('before'))
    void process.pause(3).then(() => seen.push('after'))
    time.after(2, () => process.kill())
    await toItsEnd(time)
    expect(seen).toEqual(['before'])
  })

  it('makes up for what it missed while it was frozen, in order', async () => {
    const time = new VirtualTime()
    const process = new SimProcess('a', time)
    const seen: (readonly [string, number])[] = []
    process.after(2, () => seen.push(['one', time.now]))
    process.after(3, () => seen.push(['two', time.now]))
    time.after(1, () => process.freeze())
    time.after(10, () => process.thaw())
    await toItsEnd(time)
    expect(seen).toEqual([['one', 10], ['two', 10]])
  })

  it('sees the time of its own clock, which may be fast, and sleeps by it', async () => {
    const time = new VirtualTime()
    const clock = processClock(new SimProcess('a', time), time, { offset: 1000, rate: 2 })
    const woken = clock.sleep(10).then(() => [time.now, clock.now()])
    await toItsEnd(time)
    expect(await woken).toEqual([5, 1010])
  })

  it('is woken out of its sleep by a signal, with the reason', async () => {
    const time = new VirtualTime()
    const clock = processClock(new SimProcess('a', time), time, { offset: 0, rate: 1 })
    const stop = new AbortController()
    time.after(1, () => stop.abort(new Error('no more')))
    const sleeping = expect(clock.sleep(10, stop.signal)).rejects.toThrow('no more')
    await toItsEnd(time)
    await sleeping
    await expect(clock.sleep(1, stop.signal)).rejects.toThrow('no more')
  })
})
