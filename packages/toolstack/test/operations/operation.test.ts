import type { AnyObservedEvent } from '@xen-replication/plugin-api'
import { LinkError } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'
import { createOperations, type Operation, type Registry } from '../../src/operations/operation.ts'

const facts = { verb: 'save', guest: 'demo', url: 'file:x' }

function bench() {
  const seen: AnyObservedEvent[] = []
  const log: string[] = []
  let abort: (why: string) => void = () => undefined
  const registry: Registry = {
    enter: (id, _facts, stop) => {
      log.push(`enter ${id}`)
      abort = stop
      return Promise.resolve({ observe: ({ kind }) => void log.push(kind), leave: () => Promise.resolve(void log.push('leave')) })
    },
  }
  let time = 0
  const operations = createOperations({
    clock: { now: () => (time += 1000), sleep: () => Promise.resolve() },
    observer: { observe: (event) => void seen.push(event), close: () => Promise.resolve() },
    registry,
    newId: () => 'op1',
  })
  return { operations, seen, log, abort: (why: string) => abort(why) }
}
const none = new AbortController().signal
const waits = ({ signal }: Operation): Promise<never> => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))

describe('an operation', () => {
  it('is on the list while it lasts, and tells its beginning and end', async () => {
    const { operations, seen, log } = bench()
    expect(await operations.run(facts, none, ({ id, now }) => Promise.resolve(`${id} ${now() > 0}`))).toBe('op1 true')
    expect(seen.map(({ kind, operation }) => `${operation} ${kind}`)).toEqual(['op1 operation.begin', 'op1 operation.end'])
    expect(seen[1]?.data).toMatchObject({ outcome: 'done', code: undefined })
    expect(log).toEqual(['enter op1', 'operation.begin', 'operation.end', 'leave'])
  })

  it('that fails tells its code, and leaves the list', async () => {
    const { operations, seen, log } = bench()
    const lost = new LinkError('LINK_LOST', 'gone')
    await expect(operations.run(facts, none, () => Promise.reject(lost))).rejects.toBe(lost)
    expect(seen[1]?.data).toMatchObject({ outcome: 'failed', code: 'LINK_LOST' })
    expect(log.at(-1)).toBe('leave')
    await expect(operations.run(facts, none, () => Promise.reject(new Error('x')))).rejects.toThrow('x')
    expect(seen.at(-1)?.data).toMatchObject({ outcome: 'failed', code: undefined })
  })

  it('can be called off by a signal', async () => {
    const { operations, seen } = bench()
    const stop = new AbortController()
    const running = operations.run(facts, stop.signal, waits)
    setTimeout(() => stop.abort(), 1)
    await expect(running).rejects.toMatchObject({ code: 'TOOL_INTERRUPTED', message: 'save of demo was called off' })
    expect(seen.at(-1)?.data).toMatchObject({ outcome: 'interrupted', code: 'TOOL_INTERRUPTED' })
  })

  it('can be called off from elsewhere, and says by whom', async () => {
    const { operations, abort } = bench()
    const running = operations.run({ ...facts, guest: undefined }, none, waits)
    setTimeout(() => abort('xr abort'), 1)
    await expect(running).rejects.toMatchObject({ message: 'save was called off by xr abort' })
  })

  it.each([
    ['LINK_CLOSED', 'TOOL_INTERRUPTED'],
    ['LINK_IO', 'LINK_IO'],
  ] as const)('that was called off and then fails with %s ends with %s', async (code, shown) => {
    const { operations } = bench()
    const stop = new AbortController()
    const work = (): Promise<never> => {
      stop.abort()
      return Promise.reject(new LinkError(code, 'x'))
    }
    await expect(operations.run(facts, stop.signal, work)).rejects.toMatchObject({ code: shown })
  })

  it('that was called off too late is done', async () => {
    const { operations } = bench()
    const stop = new AbortController()
    const work = (): Promise<string> => {
      stop.abort()
      return Promise.resolve('done')
    }
    expect(await operations.run(facts, stop.signal, work)).toBe('done')
  })
})
