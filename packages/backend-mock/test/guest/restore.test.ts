import { beforeEach, describe, expect, it } from 'vitest'
import { createMockHost, virtualClock, type MockHost } from '@xen-replication/backend-mock'
import type { GuestForRestore } from '@xen-replication/hypervisor'
import { carry, moved } from '../carry.ts'
import { MIB, contents, everyKind, running, type Running } from '../hosts.ts'
import { guestsP2m, walk } from '../pv/walker.ts'

const other = (): MockHost => createMockHost({ clock: virtualClock(), seed: 99 })

describe.each(everyKind)('$title, brought to another host', (spec) => {
  const source = async (): Promise<Running> => {
    const at = await running({ ...spec, memoryBytes: 4 * MIB, vcpus: 2, workload: 'uniform', tablesEvery: 20 })
    await at.host.advance(400)
    return at
  }

  it('does there what it would have done here', async () => {
    const [stays, goes] = [await source(), await source()]
    const host = other()
    const domId = await moved(goes, host)
    await host.lifecycle(domId).unpause()
    await host.advance(1500)
    await stays.host.lifecycle(stays.domId).suspend()
    await stays.host.lifecycle(stays.domId).resume('resumed')
    await stays.host.advance(1500)
    const [here, there] = [await contents(stays), await contents({ host, domId })]
    const state = (pages: readonly (Uint8Array | undefined)[]): string => Buffer.from(pages[16] as Uint8Array).toString('hex')
    expect(state(there)).toBe(state(here)) // generator, counts, processes
    if (spec.kind !== 'pv') expect(there.every((page, pfn) => pfn === 18 || Buffer.compare(page ?? new Uint8Array(), here[pfn] ?? new Uint8Array()) === 0)).toBe(true)
    expect(await host.inspect(domId, ({ crash, returned, ops }) => ({ crash, returned, ops }))).toEqual({ crash: undefined, returned: { cancelled: 0, resumed: 1 }, ops: 3800 })
    expect([...host.leaks(), ...goes.host.leaks()]).toEqual([{ domId: goes.domId, what: 'suspended', count: 1 }])
  })

  it('goes on numbering what it sends', async () => {
    const at = await source()
    const host = other()
    const domId = await moved(at, host)
    await host.lifecycle(domId).unpause()
    await host.advance(100)
    expect(await host.inspect(domId, ({ nics }) => nics[0]?.out.map(({ number }) => number))).toEqual([9, 10])
  })

  it('can be brought back, and has the same state whenever it stands still', async () => {
    const at = await source()
    const host = other()
    const there = await moved(at, host)
    await at.host.lifecycle(at.domId).destroy()
    await host.lifecycle(there).unpause()
    const back = await moved({ host, domId: there }, at.host)
    await at.host.lifecycle(back).unpause()
    await at.host.advance(100)
    expect(await at.host.inspect(back, ({ ops, returned, crash }) => ({ ops, returned, crash }))).toEqual({ ops: 1000, returned: { cancelled: 0, resumed: 2 }, crash: undefined })
  })
})

describe.each(everyKind.filter(({ kind }) => kind === 'pv'))('$title', (spec) => {
  it('has tables on the new host that hold together', async () => {
    const at = await running({ ...spec, tablesEvery: 5 })
    await at.host.advance(100)
    const host = other()
    const guest = await host.openForSave(await moved(at, host))
    await guest.lifecycle.unpause()
    await host.advance(500)
    await guest.lifecycle.suspend()
    const walked = await walk(guest, await guestsP2m(guest))
    expect(walked.faults).toEqual([])
    expect(walked.mapped.size).toBe(1024 - 70)
  })

  it('crashes, as a kernel would, when its list of pages is wrong', async () => {
    const at = await running(spec)
    const host = other()
    const domId = await moved(at, host, { p2m: (list) => list.fill(0x77, 256, 260) })
    await host.lifecycle(domId).unpause()
    expect(await host.lifecycle(domId).state()).toMatchObject({ shutdown: 'crash' })
    expect(await host.inspect(domId, ({ crash }) => crash)).toMatch(/p2m list|frame/)
  })

  it('crashes when start_info names a strange page', async () => {
    const at = await running(spec)
    const host = other()
    const domId = await moved(at, host, { context: (bytes) => bytes.fill(0, spec.width === 8 ? 616 : 524, (spec.width === 8 ? 616 : 524) + 4) })
    await host.lifecycle(domId).unpause()
    expect(await host.inspect(domId, ({ crash }) => crash)).toMatch(/start_info/)
  })

  it('is refused when a page table names a frame of nobody, or memory that is in use as something else', async () => {
    const at = await running(spec)
    const firstL1 = spec.p2m === 'tree' ? 32 + Math.ceil(1024 / (spec.width === 8 ? 512 : 1024)) + 2 : 32 + Math.ceil(1024 / (spec.width === 8 ? 512 : 1024))
    const spoilEntry = (change: (entry: bigint) => bigint) => (pfn: number, bytes: Uint8Array): void => {
      if (pfn !== firstL1) return
      const entries = new BigUint64Array(bytes.buffer)
      entries[firstL1] = change(entries[firstL1] as bigint) // how the direct map shows the table itself
    }
    await expect(moved(at, other(), { page: spoilEntry((entry) => entry | 2n) })).rejects.toMatchObject({ code: expect.stringMatching(/BACKEND_(CPU_STATE|PAGE_TABLE)/) as string, message: expect.stringContaining('in use as') as string })
    await expect(moved(at, other(), { page: spoilEntry(() => 0x3n) })).rejects.toMatchObject({ message: expect.stringContaining("not the guest's") as string })
  })
})

describe.each(everyKind.filter(({ p2m }) => p2m === 'linear'))('$title, saved by something else than a simulation', (spec) => {
  it('stands where it is, and can be saved again and again', async () => {
    const at = await running({ ...spec, workload: 'uniform' })
    await at.host.advance(300)
    const [first, second] = [other(), other()]
    const there = await moved(at, first, { page: (pfn, bytes) => (pfn === 16 ? bytes.fill(0, 0, 8) : undefined) })
    await first.lifecycle(there).unpause()
    await first.advance(1000)
    expect(await first.inspect(there, ({ ops, crash }) => ({ ops, crash }))).toEqual({ ops: 0, crash: undefined })
    const further = await moved({ host: first, domId: there }, second)
    await second.lifecycle(further).unpause()
    await second.lifecycle(further).suspend()
    const guest = await second.openForSave(further)
    expect((await walk(guest, await guestsP2m(guest))).faults).toEqual([])
    await guest.close()
    const back = await moved({ host: second, domId: further }, other())
    expect(back).toBe(1)
  })
})

describe('a kernel', () => {
  it('whose list of pages is overwritten crashes when it makes page tables of them', async () => {
    const at = await running({ kind: 'pv', tablesEvery: 5 })
    await at.host.inspect(at.domId, (guest) => guest.page(32)?.fill(0x55))
    await at.host.advance(1000)
    expect(await at.host.lifecycle(at.domId).state()).toMatchObject({ shutdown: 'crash' })
    expect(await at.host.inspect(at.domId, ({ crash }) => crash)).toMatch(/Xen refuses a page table/)
  })

  it('that has lost its state crashes when it is to suspend', async () => {
    const at = await running({ kind: 'pv' })
    await at.host.inspect(at.domId, (guest) => guest.page(1)?.fill(0x55))
    await expect(at.host.lifecycle(at.domId).suspend()).rejects.toMatchObject({ code: 'BACKEND_SUSPEND', message: expect.stringContaining('crash') as string })
    const hvm = await running({ kind: 'hvm' })
    await hvm.host.inspect(hvm.domId, (guest) => guest.page(16)?.fill(0x55, 8, 12))
    await hvm.host.advance(100)
    expect(await hvm.host.inspect(hvm.domId, ({ crash }) => crash)).toMatch(/no workload/)
  })
})

describe('a guest that is being built', () => {
  const host = { now: other() }
  const open = (kind: 'pv' | 'hvm' = 'hvm', config = ''): Promise<GuestForRestore> => host.now.openForRestore({ kind, name: 'new', config })
  beforeEach(() => {
    host.now = other()
  })

  it('is listed as paused, holds its name, and cannot be saved or unpaused', async () => {
    const guest = await open()
    expect(await host.now.list()).toMatchObject([{ name: 'new', paused: true, pages: 0 }])
    await expect(open()).rejects.toMatchObject({ code: 'BACKEND_NAME_TAKEN' })
    await expect(host.now.openForSave(guest.facts.domId)).rejects.toMatchObject({ code: 'BACKEND_STATE' })
    await expect(guest.lifecycle.unpause()).rejects.toMatchObject({ code: 'BACKEND_STATE' })
    await guest.close()
  })

  it('is gone once it is closed before it is complete', async () => {
    const guest = await open()
    await guest.memory.populate([0, 1], 0)
    await guest.memory.map([0])
    await guest.close()
    await guest.close()
    expect(await host.now.list()).toEqual([])
    expect(host.now.leaks()).toEqual([])
    await expect(guest.memory.populate([2], 0)).rejects.toMatchObject({ code: 'BACKEND_STATE' })
  })

  it('fails when somebody else destroys it', async () => {
    const guest = await open()
    await host.now.lifecycle(guest.facts.domId).destroy()
    await expect(guest.memory.populate([0], 0)).rejects.toMatchObject({ code: 'BACKEND_NO_SUCH_DOMAIN' })
    await guest.close()
  })

  it('is complete once, with rings that are its own', async () => {
    const guest = await open()
    await guest.memory.populate([5], 0)
    await expect(guest.complete({ store: 6, console: 5 })).rejects.toMatchObject({ code: 'BACKEND_STATE' })
    await guest.complete({ store: 0, console: 5 })
    await guest.complete({ store: 0, console: 5 })
    await guest.close()
    expect(await host.now.list()).toMatchObject([{ name: 'new', paused: true, pages: 1 }])
  })

  it('runs nothing without a vCPU', async () => {
    const guest = await open('pv')
    const frames = await guest.memory.populate([0, 1], 0)
    await guest.complete({ store: frames?.[0] as number, console: frames?.[1] as number })
    await guest.lifecycle.unpause()
    await host.now.advance(100)
    expect(await guest.lifecycle.state()).toEqual({ dying: false, paused: false, shutdown: undefined })
    await guest.close()
  })

  it('gets memory where it asks for it: scattered for PV, in place for HVM, in runs of 2 MiB', async () => {
    const hvm = await open()
    expect([...((await hvm.memory.populate([7, 3], 0)) ?? [])]).toEqual([7, 3])
    expect([...((await hvm.memory.populate([512], 9)) ?? [])]).toEqual([512])
    await hvm.close()
    const pv = await open('pv')
    const frames = [...((await pv.memory.populate([0, 1, 2], 0)) ?? [])]
    expect(frames.map((mfn) => pv.pv?.machine.pfn(mfn))).toEqual([0, 1, 2])
    const run = (await pv.memory.populate([1024], 9))?.[0] as number
    expect([0, 1, 511].map((n) => pv.pv?.machine.pfn(run + n))).toEqual([1024, 1025, 1535])
    expect(run % 512).toBe(0)
    await pv.close()
  })

  it('gets no page twice, none out of bounds, and none beyond what its configuration allows', async () => {
    const guest = await open('hvm', JSON.stringify({ b_info: { max_memkb: 4096 } }))
    const most = 1024 + 1280
    await guest.memory.populate([0], 0)
    for (const bad of [0, -1, 2 ** 24, 2 ** 40, 1e300]) await expect(guest.memory.populate([bad], 0)).rejects.toMatchObject({ code: 'BACKEND_MEMORY' })
    await expect(guest.memory.populate([513], 9)).rejects.toMatchObject({ code: 'BACKEND_MEMORY' })
    await expect(guest.memory.populate([0], 9)).rejects.toMatchObject({ code: 'BACKEND_MEMORY' })
    await guest.memory.populate(Array.from({ length: most - 1 }, (_, i) => i + 1), 0)
    await expect(guest.memory.populate([most], 0)).rejects.toMatchObject({ code: 'BACKEND_MEMORY' })
    expect(await guest.memory.populate([8192], 9)).toBeUndefined()
    await guest.close()
  })

  it('gets none when the host has none left, and runs of 2 MiB only as long as there are any', async () => {
    host.now = createMockHost({ clock: virtualClock(), memoryBytes: 136 * MIB }) // 128 are Xen's
    const guest = await open('pv')
    expect(await guest.memory.populate([0, 512, 1024], 9)).toHaveLength(3)
    expect(await guest.memory.populate([1536, 2048], 9)).toBeUndefined()
    await expect(guest.memory.populate(Array.from({ length: 513 }, (_, i) => 4096 + i), 0)).rejects.toMatchObject({ code: 'BACKEND_MEMORY' })
    expect(await guest.memory.populate(Array.from({ length: 512 }, (_, i) => 4096 + i), 0)).toHaveLength(512)
    await expect(host.now.createGuest({ name: 'late', kind: 'pv', memoryBytes: 4 * MIB })).rejects.toMatchObject({ code: 'BACKEND_MEMORY' })
    await guest.close()
    await host.now.createGuest({ name: 'late', kind: 'pv', memoryBytes: 4 * MIB })
    expect(await host.now.list()).toHaveLength(1)
  })

  it('is 64 bits wide until it is told otherwise, before it has memory', async () => {
    const guest = await open('pv')
    expect([await guest.pv?.width(), guest.facts.width]).toEqual([8, 8])
    await guest.pv?.setWidth(4)
    expect([await guest.pv?.width(), guest.facts.width]).toEqual([4, 4])
    await guest.memory.populate([0], 0)
    await guest.pv?.setWidth(4)
    await expect(guest.pv?.setWidth(8)).rejects.toMatchObject({ code: 'BACKEND_STATE' })
    await guest.close()
    host.now = createMockHost({ pv32: 'no' })
    await expect((await open('pv')).pv?.setWidth(4)).rejects.toMatchObject({ code: 'BACKEND_UNSUPPORTED' })
  })

  it('has as many vCPUs as its configuration says', async () => {
    const facts = async (kind: 'pv' | 'hvm', config: string): Promise<number> => {
      const guest = await open(kind, config)
      await guest.close()
      return guest.facts.maxVcpuId
    }
    expect(await facts('hvm', '{"b_info":{"max_vcpus":3}}')).toBe(2)
    expect(await facts('hvm', 'memory = 16\nvcpus = 2\n')).toBe(1)
    expect(await facts('hvm', 'nothing')).toBe(127)
    expect(await facts('pv', '[]')).toBe(31)
  })

  it('may be written while it is suspended once more, but its page tables may not', async () => {
    const at = await running({ kind: 'pv' })
    const from = await at.host.openForSave(at.domId)
    await from.lifecycle.suspend()
    const to = await open('pv')
    await carry(from, to)
    const p2m = await host.now.inspect(to.facts.domId, (guest) => Array.from({ length: 1024 }, (_, pfn) => [guest.frame(pfn), guest.type(pfn)] as const))
    const table = p2m.find(([, type]) => type === 1)?.[0] as number
    await expect(to.memory.map([table])).rejects.toMatchObject({ code: 'BACKEND_MAP' })
    const page = await to.memory.map([p2m[0]?.[0] as number])
    page.close()
    await to.close()
    await from.close()
  })
})
