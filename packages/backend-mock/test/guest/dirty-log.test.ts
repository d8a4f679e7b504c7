import { describe, expect, it } from 'vitest'
import { workloads } from '@xen-replication/backend-mock'
import type { DirtyPages } from '@xen-replication/hypervisor'
import { contents, everyKind, opened, type Running } from '../hosts.ts'

const XENS = 18 // the page of an HVM guest that the hypervisor writes
const DMA = 19

function bits({ bitmap }: DirtyPages): number[] {
  const set: number[] = []
  bitmap.forEach((byte, at) => {
    for (let bit = 0; byte >> bit > 0; bit += 1) if (((byte >> bit) & 1) === 1) set.push(at * 8 + bit)
  })
  return set
}

/** pfns whose contents differ between two looks. */
async function changedWhile(at: Running, work: () => Promise<unknown>): Promise<number[]> {
  const before = await contents(at)
  await work()
  const changed: number[] = []
  ;(await contents(at)).forEach((page, pfn) => page !== undefined && Buffer.compare(page, before[pfn] as Uint8Array) !== 0 && changed.push(pfn))
  return changed
}

describe.each(everyKind)('the log of writes of $title', (spec) => {
  it.each(workloads)('names every page that %s changed, and no page that it did not write', async (workload) => {
    const at = await opened({ ...spec, workload, tablesEvery: 40 })
    await at.guest.deviceModel?.logDirty('on')
    await at.guest.dirty.enable()
    const pages = await at.guest.memory.frames()
    for (const ms of [1, 30, 500]) {
      const changed = await changedWhile(at, () => at.host.advance(ms))
      const dirty = bits(await at.guest.dirty.take(pages))
      expect(changed.filter((pfn) => !dirty.includes(pfn) && pfn !== XENS)).toEqual([])
      const idle = dirty.filter((pfn) => !changed.includes(pfn))
      expect(idle.length).toBeLessThanOrEqual(spec.kind === 'pv' ? 40 : 0) // tables are written back and forth
    }
    await at.guest.close()
  })

  it('gives each write once, to whoever takes it first', async () => {
    const { host, guest } = await opened({ ...spec, workload: 'sequential' })
    await guest.dirty.enable()
    const pages = await guest.memory.frames()
    expect(bits(await guest.dirty.take(pages))).toEqual([])
    await host.advance(10)
    const seen = bits(await guest.dirty.peek(pages))
    expect(bits(await guest.dirty.peek(pages))).toEqual(seen)
    const taken = await guest.dirty.take(pages)
    expect(taken.estimate).toBe(seen.length)
    expect(taken.bitmap.length).toBe(Math.ceil(pages / 8))
    expect(bits(taken)).toEqual(seen)
    expect(bits(await guest.dirty.take(pages))).toEqual([])
  })

  it('forgets what was written while it was off', async () => {
    const { host, guest } = await opened({ ...spec, workload: 'sequential' })
    await guest.dirty.enable()
    await host.advance(10)
    await guest.dirty.disable()
    await guest.dirty.disable()
    await host.advance(10)
    await guest.dirty.enable()
    expect(bits(await guest.dirty.take(await guest.memory.frames()))).toEqual([])
  })

  it('names what suspending changes', async () => {
    const at = await opened({ ...spec, workload: 'idle' })
    await at.guest.dirty.enable()
    const changed = await changedWhile(at, () => at.guest.lifecycle.suspend())
    const dirty = bits(await at.guest.dirty.take(await at.guest.memory.frames(), 'last'))
    expect(changed.length).toBeGreaterThan(0)
    expect(changed.filter((pfn) => !dirty.includes(pfn))).toEqual([])
  })
})

describe('the log of writes', () => {
  it('is refused to whoever asks without having turned it on, and a second time to whoever has', async () => {
    const { host, domId, guest } = await opened({ kind: 'hvm' })
    await expect(guest.dirty.take(8)).rejects.toMatchObject({ code: 'BACKEND_LOG_DIRTY' })
    await expect(guest.dirty.peek(8)).rejects.toMatchObject({ code: 'BACKEND_LOG_DIRTY' })
    await guest.dirty.enable()
    const second = await host.openForSave(domId)
    await expect(second.dirty.enable()).rejects.toMatchObject({ code: 'BACKEND_LOG_DIRTY' })
    await second.dirty.disable() // not the one who turned it on
    await second.close()
    await expect(guest.dirty.take(8)).resolves.toMatchObject({ estimate: 0 })
  })

  it('is cut or filled up to the number of pages asked for', async () => {
    const { host, guest } = await opened({ kind: 'pvh', workload: 'counter' })
    await guest.dirty.enable()
    await host.advance(10)
    expect(bits(await guest.dirty.peek(17))).toEqual([16])
    expect(bits(await guest.dirty.peek(20))).toEqual([16, 17])
    expect(bits(await guest.dirty.peek(5_000_000))).toEqual([16, 17])
    expect((await guest.dirty.peek(0)).bitmap.length).toBe(0)
  })
})

describe('an HVM guest', () => {
  it('has pages that its device model writes, which the log shows only when the device model was asked to tell', async () => {
    const { host, guest } = await opened({ kind: 'hvm', workload: 'counter' })
    await guest.dirty.enable()
    const pages = await guest.memory.frames()
    await host.advance(500)
    expect(bits(await guest.dirty.take(pages))).not.toContain(DMA)
    await guest.deviceModel?.logDirty('on')
    await guest.deviceModel?.logDirty('on')
    await host.advance(500)
    expect(bits(await guest.dirty.take(pages))).toContain(DMA)
    await guest.deviceModel?.logDirty('off')
    await host.advance(500)
    expect(bits(await guest.dirty.take(pages))).not.toContain(DMA)
  })

  it('goes on telling what its device model writes when somebody else has looked at it and is done', async () => {
    const { host, guest } = await opened({ kind: 'hvm', workload: 'counter' })
    await guest.dirty.enable()
    await guest.deviceModel?.logDirty('on')
    await (await host.openForSave(guest.facts.domId)).close()
    await host.advance(500)
    expect(bits(await guest.dirty.take(await guest.memory.frames()))).toContain(DMA)
  })

  it('has a page that the hypervisor writes, which is dirty when the last pages are asked for and not before', async () => {
    const at = await opened({ kind: 'hvm', workload: 'idle' })
    await at.guest.dirty.enable()
    const pages = await at.guest.memory.frames()
    expect(await changedWhile(at, () => at.host.advance(100))).toEqual([XENS])
    expect(bits(await at.guest.dirty.take(pages))).toEqual([])
    expect(bits(await at.guest.dirty.take(pages, 'last'))).toEqual([XENS])
  })
})
