import { awaitFirst } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'

const clock = { now: () => 0, sleep: () => new Promise<void>(() => undefined) }
const signal = new AbortController().signal
const never = (): Promise<never> => new Promise(() => undefined)

describe('waiting for what comes first', () => {
  it('hears an operator who has spoken before, even if something else is there as well', async () => {
    let taken = 0
    const ports = { clock, signal, request: () => ((taken += 1), 'stop'), requested: never }
    expect(await awaitFirst(ports, 1000, 'due', () => Promise.resolve('diverged'))).toBe('stop')
    expect(taken).toBe(1)
  })

  it('yields what is there where nobody has spoken', async () => {
    const ports = { clock, signal, request: () => undefined, requested: never }
    expect(await awaitFirst(ports, 1000, 'due', () => Promise.resolve('diverged'))).toBe('diverged')
  })

  it('hears an operator who speaks meanwhile', async () => {
    const ports = { clock, signal, request: () => undefined, requested: () => Promise.resolve('failover') }
    expect(await awaitFirst(ports, 1000, 'due', never)).toBe('failover')
  })
})
