import { describe, expect, it } from 'vitest'
import { BLOCK_BYTES, Gather } from '../../src/channel/gather.ts'

/** A slow way whose sends are let through one by one. */
function slowWay() {
  const sent: Uint8Array[] = []
  const waiting: { pass: () => void; break: (error: Error) => void }[] = []
  const gather = new Gather((bytes) => {
    sent.push(bytes.slice())
    return new Promise((resolve, reject) => waiting.push({ pass: resolve, break: reject }))
  })
  const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const pass = async (): Promise<void> => {
    waiting.shift()?.pass()
    await tick()
  }
  return { gather, sent, waiting, pass, tick }
}

const page = (n: number): Uint8Array => new Uint8Array(4096).fill(n)

describe('many small writes', () => {
  it('go at once while the way is free', async () => {
    const { gather, sent, pass } = slowWay()
    await gather.write([page(1)])
    expect(sent.map(({ length }) => length)).toEqual([4096])
    await pass()
    await gather.write([page(2)])
    expect(sent.map(({ length }) => length)).toEqual([4096, 4096])
  })

  it('become one while something is on its way', async () => {
    const { gather, sent, pass } = slowWay()
    for (let n = 0; n < 100; n++) await gather.write([page(n)])
    expect(sent).toHaveLength(1)
    await pass()
    expect(sent.map(({ length }) => length)).toEqual([4096, 99 * 4096])
    expect(sent[1]?.[98 * 4096]).toBe(99)
  })

  it('wait once a block is full and another on its way', async () => {
    const { gather, sent, pass, tick } = slowWay()
    let done = false
    const writing = gather.write(Array.from({ length: 600 }, (_, n) => page(n))).then(() => (done = true))
    await tick()
    expect(done).toBe(false)
    expect(sent.map(({ length }) => length)).toEqual([BLOCK_BYTES])
    await pass()
    await pass()
    await writing
    expect(sent.map(({ length }) => length)).toEqual([BLOCK_BYTES, BLOCK_BYTES, 600 * 4096 - 2 * BLOCK_BYTES])
  })
})

describe('a large part', () => {
  it('is sent from where it lies, behind what came before', async () => {
    const seen: Uint8Array[] = []
    const gather = new Gather((bytes) => Promise.resolve(void seen.push(bytes)))
    const large = new Uint8Array(BLOCK_BYTES)
    await gather.write([page(1), large, page(2)])
    await gather.flush()
    expect(seen.map(({ length }) => length)).toEqual([4096, BLOCK_BYTES, 4096])
    expect(seen[1]).toBe(large)
  })
})

describe('a way that breaks', () => {
  it('fails the writes that wait, those that come, and flushing', async () => {
    const { gather, waiting, tick } = slowWay()
    const writing = gather.write(Array.from({ length: 600 }, (_, n) => page(n)))
    await tick()
    waiting.shift()?.break(new Error('cut'))
    await expect(writing).rejects.toThrow('cut')
    await expect(gather.write([page(1)])).rejects.toThrow('cut')
    await expect(gather.flush()).rejects.toThrow('cut')
  })

  it('keeps the first reason', async () => {
    const { gather } = slowWay()
    gather.fail(new Error('first'))
    gather.fail(new Error('second'))
    await expect(gather.write([])).rejects.toThrow('first')
  })
})
