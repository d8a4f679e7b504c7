import { describe, expect, it } from 'vitest'
import { MIB, everyKind, opened } from '../hosts.ts'
import { guestsP2m, walk } from './walker.ts'

describe.each(everyKind.filter(({ kind }) => kind === 'pv'))('a PV guest ($title)', (spec) => {
  it('has page tables that reach all of its memory and nothing else, however long it has run', async () => {
    const { host, guest } = await opened({ ...spec, memoryBytes: 6 * MIB, vcpus: 2, workload: 'uniform', tablesEvery: 7 })
    for (const ms of [0, 400, 3000]) {
      await host.advance(ms)
      await guest.lifecycle.suspend()
      const p2m = await guestsP2m(guest)
      const walked = await walk(guest, p2m)
      expect(walked.faults).toEqual([])
      expect(walked.mapped.size).toBe(6 * 256 - 70)
      expect(p2m).toHaveLength(6 * 256)
      await guest.lifecycle.resume('cancelled')
    }
    await guest.close()
  })

  it('has pfns at the end that have no page', async () => {
    const { host, domId, guest } = await opened(spec)
    await guest.lifecycle.suspend()
    const p2m = await guestsP2m(guest)
    expect(await guest.memory.types(p2m.slice(-71))).toEqual(Uint8Array.from([0, ...Array<number>(70).fill(15)]))
    expect(await guest.memory.frames()).toBe(1024)
    expect((await host.list())[0]).toMatchObject({ domId, pages: 1024 - 70 })
  })

  it('lies scattered over machine memory, with frames that are not its pfns', async () => {
    const { guest } = await opened(spec)
    await guest.lifecycle.suspend()
    const p2m = (await guestsP2m(guest)).slice(0, 1024 - 70)
    expect(p2m.filter((mfn, pfn) => mfn === pfn)).toEqual([])
    expect(p2m.filter((mfn, pfn) => p2m[pfn + 1] === mfn + 1).length).toBeLessThan(20)
    expect(new Set(p2m).size).toBe(p2m.length)
  })

  it("shows Xen's slots in its live tables, and the top tables as pinned", async () => {
    const { guest } = await opened(spec)
    await guest.lifecycle.suspend()
    const p2m = await guestsP2m(guest)
    const types = [...(await guest.memory.types(p2m))]
    const walked = await walk(guest, p2m)
    const tops = types.filter((type) => type === (spec.width === 8 ? 12 : 11)).length
    expect(tops).toBeGreaterThan(1)
    expect(walked.xenSlots).toBe(tops * (spec.width === 8 ? 8 : 32))
  })

  it('maps shared_info only while it runs', async () => {
    const { guest } = await opened(spec)
    const frame = BigInt(guest.pv?.sharedInfoFrame ?? 0)
    const shown = async (): Promise<number> => {
      const p2m = await guestsP2m(guest)
      const types = await guest.memory.types(p2m)
      const tables = p2m.filter((_, pfn) => types[pfn] === 1)
      const mapped = await guest.memory.map(tables)
      const found = mapped.views.flatMap((bytes) => [...new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8)]).filter((entry) => (entry & 1n) === 1n && entry >> 12n === frame)
      mapped.close()
      return found.length
    }
    expect(await shown()).toBe(1)
    await guest.lifecycle.suspend()
    expect(await shown()).toBe(0)
    await guest.lifecycle.resume('cancelled')
    expect(await shown()).toBe(1)
  })
})

describe('two PV guests on a host', () => {
  it('share machine memory but no frame, and one cannot have a frame of the other mapped', async () => {
    const { host, guest } = await opened({ kind: 'pv' })
    const other = await host.openForSave(await host.createGuest({ name: 'other', kind: 'pv', memoryBytes: 4 * MIB }))
    await guest.lifecycle.suspend()
    await other.lifecycle.suspend()
    const [mine, theirs] = [await guestsP2m(guest), await guestsP2m(other)]
    expect(mine.filter((mfn) => theirs.includes(mfn))).toEqual([])
    expect(await guest.memory.types(theirs.slice(0, 10))).toEqual(new Uint8Array(10).fill(15))
    await expect(guest.memory.map(theirs.slice(0, 1))).rejects.toMatchObject({ code: 'BACKEND_MAP' })
    expect(guest.pv?.machine.pfn(theirs[5] as number)).toBe(5)
  })

  it('leaves nothing of a destroyed one in the machine', async () => {
    const { host, domId, guest } = await opened({ kind: 'pv' })
    await guest.lifecycle.suspend()
    const [mfn] = await guestsP2m(guest)
    expect(guest.pv?.machine.pfn(mfn as number)).toBe(0)
    await host.lifecycle(domId).destroy()
    expect(guest.pv?.machine.pfn(mfn as number)).toBe(0xffffffff)
  })
})
