import { LinkError, type Channel, type Clock } from '@xen-replication/plugin-api'
import { throttled } from '@xen-replication/transports'
import { describe, expect, it } from 'vitest'

/** A clock that jumps to whatever is waited for. */
function jumping(): Clock & { slept: number[] } {
  let now = 1000
  const slept: number[] = []
  return {
    slept,
    now: () => now,
    sleep: (ms) => {
      slept.push(ms)
      now += ms
      return Promise.resolve()
    },
  }
}

function recording(): Channel & { sizes: number[]; bytes: number[] } {
  const sizes: number[] = []
  const bytes: number[] = []
  return {
    sizes,
    bytes,
    write: (parts) => {
      sizes.push(parts.reduce((sum, { length }) => sum + length, 0))
      for (const part of parts) bytes.push(...part)
      return Promise.resolve()
    },
    read: () => undefined,
    end: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}

describe('a link with a limit', () => {
  it('takes as long as the limit says, in even steps', async () => {
    const [clock, channel] = [jumping(), recording()]
    const before = clock.now()
    await throttled(channel, 1_000_000, clock).write([new Uint8Array(500_000), new Uint8Array(500_000)])
    expect(clock.now() - before).toBeCloseTo(950, 0) // the first 50 ms worth goes at once
    expect(Math.max(...channel.sizes)).toBe(50_000)
    expect(channel.sizes.reduce((sum, size) => sum + size, 0)).toBe(1_000_000)
  })

  it('saves up no more than one step while nothing is sent', async () => {
    const [clock, channel] = [jumping(), recording()]
    const limited = throttled(channel, 1_000_000, clock)
    await clock.sleep(60_000)
    const before = clock.now()
    await limited.write([new Uint8Array(100_000)])
    expect(clock.now() - before).toBeCloseTo(50, 0)
  })

  it('keeps order and bytes across the cuts', async () => {
    const [clock, channel] = [jumping(), recording()]
    const parts = [1, 5000, 3, 4096, 9000].map((length, i) => Uint8Array.from({ length }, (_, at) => (i * 50 + at) & 0xff))
    await throttled(channel, 1, clock).write(parts)
    expect(channel.bytes).toEqual(parts.flatMap((part) => [...part]))
    expect(Math.max(...channel.sizes)).toBe(4096)
  })

  it('stops waiting when it is closed', async () => {
    const clock: Clock = {
      now: () => 0,
      sleep: (_ms, signal) => new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted')), { once: true })),
    }
    const limited = throttled(recording(), 1000, clock)
    const [early, late] = [limited.write([new Uint8Array(10_000)]), limited.write([new Uint8Array(10_000)])]
    await new Promise(setImmediate)
    await limited.close()
    await expect(early).rejects.toMatchObject({ code: 'LINK_CLOSED' })
    await expect(late).rejects.toMatchObject({ code: 'LINK_CLOSED' })
    await expect(limited.write([new Uint8Array(10_000)])).rejects.toMatchObject({ code: 'LINK_CLOSED' })
  })

  it('passes on what the clock says when that fails by itself', async () => {
    const clock: Clock = { now: () => 0, sleep: () => Promise.reject(new Error('no timers left')) }
    await expect(throttled(recording(), 1000, clock).write([new Uint8Array(10_000)])).rejects.toThrow('no timers left')
  })

  it.each([0, -1, Number.NaN])('cannot have the limit %s', (limit) => {
    expect(() => throttled(recording(), limit, jumping())).toThrow(expect.objectContaining({ code: 'LINK_ADDRESS' }) as LinkError)
  })
})
