import { describe, expect, it } from 'vitest'
import { Wishes } from '../../src/replicate/wishes.ts'

const never = new AbortController().signal

describe('what an operator asks for', () => {
  it('is kept until somebody sees to it, and is there once however often it was said', async () => {
    const wishes = new Wishes()
    wishes.ask('stop')
    wishes.ask('stop')
    expect(await wishes.next(never)).toBe('stop')
    expect(wishes.take()).toBeUndefined()
  })

  it('wakes up whoever waits for it, and leaves the others waiting', async () => {
    const wishes = new Wishes()
    const over = new AbortController()
    const [stop, failover] = [wishes.next(never, (wish) => wish === 'stop'), wishes.next(over.signal, (wish) => wish === 'failover')]
    wishes.ask('stop')
    expect(await stop).toBe('stop')
    over.abort(new Error('enough'))
    await expect(failover).rejects.toThrow('enough')
  })

  it('stays when what it would have ended was over first', async () => {
    const wishes = new Wishes()
    expect(await wishes.race(Promise.resolve('done'), never)).toBe('done')
    wishes.ask('failover')
    expect(wishes.take()).toBe('failover')
  })

  it('is first where the work takes longer; an error of the work is told', async () => {
    const wishes = new Wishes()
    const slow = wishes.race(new Promise<string>(() => undefined), never)
    wishes.ask('stop')
    expect(await slow).toBe('stop')
    await expect(wishes.race(Promise.reject(new Error('broken')), never)).rejects.toThrow('broken')
  })
})
