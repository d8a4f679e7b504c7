import { describe, expect, it } from 'vitest'
import { workloads } from '@xen-replication/backend-mock'
import { digest, everyKind, running } from '../hosts.ts'

describe.each(everyKind)('$title', (spec) => {
  it('does the same again on another host with the same seed', async () => {
    const [a, b] = [await running({ ...spec, workload: 'database' }), await running({ ...spec, workload: 'database' })]
    for (const { host } of [a, b]) await host.advance(2500)
    expect(await digest(a)).toBe(await digest(b))
  })

  it('does the same whether time passes at once or in small steps, and looks do not disturb it', async () => {
    const [a, b] = [await running({ ...spec, workload: 'zipf' }), await running({ ...spec, workload: 'zipf' })]
    await a.host.advance(777)
    for (let ms = 0; ms < 777; ms += 7) {
      await b.host.advance(7)
      await b.host.inspect(b.domId, ({ ops }) => ops)
    }
    expect(await digest(a)).toBe(await digest(b))
  })

  it('does something else with another seed', async () => {
    const [a, b] = [await running({ ...spec, workload: 'uniform', seed: 1 }), await running({ ...spec, workload: 'uniform', seed: 2 })]
    for (const { host } of [a, b]) await host.advance(100)
    expect(await digest(a)).not.toBe(await digest(b))
  })
})

describe.each(workloads.filter((name) => name !== 'idle'))('the workload %s', (workload) => {
  it('counts its operations on the counter page, as many a second as asked for', async () => {
    const at = await running({ kind: 'hvm', workload, rate: 1500 })
    await at.host.advance(2000)
    const counter = await at.host.inspect(at.domId, (guest) => guest.page(17)?.slice(0, 8))
    expect(new DataView(counter?.buffer as ArrayBuffer).getBigUint64(0, true)).toBe(3000n)
  })
})

describe('an idle guest', () => {
  it('changes none of its pages', async () => {
    const at = await running({ kind: 'pvh', workload: 'idle' })
    const before = await digest(at)
    await at.host.advance(60_000)
    expect(await digest(at)).not.toBe(before) // the hypervisor still tells it the time
    expect((await at.host.list())[0]?.cpuTime).toBe(60_000_000_000n)
    const pv = await running({ kind: 'pv', workload: 'idle' })
    const still = await digest(pv)
    await pv.host.advance(60_000)
    expect(await digest(pv)).toBe(still)
  })
})

describe('a guest that stands still', () => {
  it.each(['pause', 'suspend'] as const)('does nothing after %s, and goes on from there', async (how) => {
    const at = await running({ kind: 'pv', workload: 'uniform' })
    const lifecycle = at.host.lifecycle(at.domId)
    await at.host.advance(500)
    await lifecycle[how]()
    const before = await digest(at)
    await at.host.advance(5000)
    expect(await digest(at)).toBe(before)
    await (how === 'pause' ? lifecycle.unpause() : lifecycle.resume('cancelled'))
    await at.host.advance(500)
    expect(await at.host.inspect(at.domId, ({ ops }) => ops)).toBe(2000)
  })
})

describe('a guest that nobody looks at', () => {
  it('dozes after ten minutes, so that the next look need not wait for it', async () => {
    let now = 0
    const at = await running({ kind: 'hvm', workload: 'counter' }, { clock: { now: () => now, sleep: () => Promise.resolve() } })
    now = 24 * 3_600_000
    expect(await at.host.inspect(at.domId, ({ ops }) => ops)).toBe(600_000)
  })

  it('runs through an hour that is looked at now and then', async () => {
    const at = await running({ kind: 'hvm', workload: 'counter', rate: 10 })
    await at.host.advance(3_600_000)
    expect(await at.host.inspect(at.domId, ({ ops }) => ops)).toBe(36_000)
  })
})
