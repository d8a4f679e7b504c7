import { describe, expect, it } from 'vitest'
import { createMockHost, virtualClock, type GuestSpec } from '@xen-replication/backend-mock'
import { MIB, digest, everyKind, opened, running } from '../hosts.ts'

const host = (): ReturnType<typeof createMockHost> => createMockHost({ clock: virtualClock() })

/** Milliseconds of the best of four: others use this machine too. */
async function best(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < 4; n += 1) {
    const before = performance.now()
    await work()
    times.push(performance.now() - before)
  }
  return Math.min(...times)
}

describe('a guest', () => {
  it.each([
    [{ name: '' }, 'no name'], [{ name: 'a b' }, 'no name'], [{ workload: 'sleep' as never }, 'there are idle, counter'], [{ vcpus: 0 }, 'vCPUs'], [{ vcpus: 33 }, 'vCPUs'], [{ vcpus: 1.5 }, 'vCPUs'],
    [{ nics: 9 }, 'nics'], [{ disks: -1 }, 'disks'], [{ balloonedPages: 0.5 }, 'ballooned'], [{ tablesEvery: -1 }, 'every'],
    [{ rate: -1 }, 'a second'], [{ rate: NaN }, 'a second'], [{ fill: 2 }, '0 to 1'], [{ kind: 'hvm', width: 4 }, 'width'], [{ memoryBytes: 32 * 1024 }, '256 KiB'], [{ memoryBytes: NaN }, 'KiB'],
    [{ memoryBytes: 2 ** 40 }, '64 GiB'], [{ kind: 'pvh', memoryBytes: MIB }, 'KiB'], [{ balloonedPages: 1000, memoryBytes: 4 * MIB }, 'KiB'],
  ] as const)('that cannot be is refused: %j', async (wrong: Partial<GuestSpec>, says) => {
    const on = host()
    await expect(on.createGuest({ name: 'demo', kind: 'pv', ...wrong })).rejects.toMatchObject({ code: 'BACKEND_UNSUPPORTED', message: expect.stringContaining(says) as string })
    expect(await on.list()).toEqual([])
  })

  it('is refused where its name is taken, its width not run, or memory too small for it', async () => {
    const small = createMockHost({ clock: virtualClock(), pv32: 'no', memoryBytes: 160 * MIB, xen: { major: 4, minor: 17 } })
    await small.createGuest({ name: 'demo', kind: 'hvm', memoryBytes: 8 * MIB })
    await expect(small.createGuest({ name: 'demo', kind: 'pv' })).rejects.toMatchObject({ code: 'BACKEND_NAME_TAKEN' })
    await expect(small.createGuest({ name: 'narrow', kind: 'pv', width: 4 })).rejects.toMatchObject({ code: 'BACKEND_UNSUPPORTED' })
    await expect(small.createGuest({ name: 'large', kind: 'pv', memoryBytes: 64 * MIB })).rejects.toMatchObject({ code: 'BACKEND_MEMORY' })
    expect(await small.createGuest({ name: 'next', kind: 'pv', memoryBytes: 8 * MIB })).toBe(3)
    expect((await small.list()).map(({ xen }) => xen)).toEqual([{ major: 4, minor: 17 }, { major: 4, minor: 17 }])
  })

  it.each(everyKind)('of 1 GiB is there at once: $title', async (spec) => {
    const made = await best(() => host().createGuest({ ...spec, name: 'demo', memoryBytes: 1024 * MIB }))
    expect(made).toBeLessThan(300)
  })

  it('dirties ten thousand pages in a moment once it has touched its memory', async () => {
    const { host: on, guest } = await opened({ kind: 'pvh', memoryBytes: 128 * MIB, workload: 'sequential', rate: 10_000 })
    await on.advance(4000)
    await guest.dirty.enable()
    const worked = await best(async () => {
      await on.advance(1000)
      expect((await guest.dirty.take(await guest.memory.frames())).estimate).toBeGreaterThan(9_900)
    })
    expect(worked).toBeLessThan(50)
  })

  it('holds what does not compress in as much of its memory as was asked for', async () => {
    const { gzipSync } = await import('node:zlib')
    const { host: on, domId } = await running({ kind: 'pvh', memoryBytes: 8 * MIB, fill: 0.5 })
    const pages = await on.inspect(domId, (guest) => Array.from({ length: 2048 }, (_, pfn) => guest.page(pfn)?.slice() ?? new Uint8Array()))
    const full = pages.filter((page) => gzipSync(page).length > 4000)
    expect(full.length).toBe(1 + (2048 - 256) / 2) // and the first page, which is its loader
  })

  it('waits for unpause when it is made paused', async () => {
    const at = await running({ kind: 'pv', start: 'paused' })
    await at.host.advance(100)
    const before = await digest(at)
    expect(at.host.leaks()).toEqual([])
    await at.host.lifecycle(at.domId).unpause()
    await at.host.advance(100)
    expect(await digest(at)).not.toBe(before)
  })

  it('has gfns with holes where a PC has them', async () => {
    const { guest } = await opened({ kind: 'hvm', memoryBytes: 4 * MIB })
    const types = async (...gfns: number[]): Promise<number[]> => [...(await guest.memory.types(gfns))]
    expect(await types(0, 0x9f, 0xa0, 0xbf, 0xc0, 0x41f, 0x420, 0xfeff0, 0xfefff, 0xff000)).toEqual([0, 0, 15, 15, 0, 0, 15, 0, 0, 15])
    expect(await guest.memory.frames()).toBe(0xff000)
    await expect(guest.memory.map([0xa0])).rejects.toMatchObject({ code: 'BACKEND_MAP' })
    await expect(guest.memory.types(new Array<number>(1025).fill(0))).rejects.toMatchObject({ code: 'BACKEND_MEMORY' })
  })

  it('larger than 3.75 GiB goes on above 4 GiB', async () => {
    const { guest } = await opened({ kind: 'pvh', memoryBytes: 4096 * MIB })
    expect([...(await guest.memory.types([0xeffff, 0xf0000, 0xfffff, 0x100000, 0x10ffff, 0x110000]))]).toEqual([0, 15, 15, 0, 0, 15])
    expect(await guest.memory.frames()).toBe(0x110000)
  })
})

describe('a host', () => {
  it('is the same again with the same seed, and another one with another', async () => {
    const uuids = async (seed: number): Promise<string[]> => {
      const on = createMockHost({ clock: virtualClock(), seed })
      for (const name of ['a', 'b']) await on.createGuest({ name, kind: 'pv', memoryBytes: MIB })
      return (await on.list()).map(({ uuid }) => uuid)
    }
    expect(await uuids(5)).toEqual(await uuids(5))
    expect(await uuids(5)).not.toEqual(await uuids(6))
    expect((await uuids(5))[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('has its own time only when that is virtual', async () => {
    await expect(createMockHost().advance(1)).rejects.toMatchObject({ code: 'BACKEND_UNSUPPORTED' })
  })

  it('runs guests in real time when nobody says otherwise', async () => {
    const on = createMockHost()
    const domId = await on.createGuest({ name: 'demo', kind: 'pv', memoryBytes: 2 * MIB, rate: 10_000 })
    await new Promise((resolve) => setTimeout(resolve, 20))
    const ops = await on.inspect(domId, (guest) => guest.ops)
    expect(ops).toBeGreaterThan(100)
    await on.close()
  })

  it('lists guests with what is known of them', async () => {
    const { host: on } = await running({ kind: 'pv', vcpus: 3, balloonedPages: 24 })
    await on.advance(1500)
    expect(await on.list()).toEqual([
      {
        domId: 1, kind: 'pv', width: 8, maxVcpuId: 2, xen: { major: 4, minor: 20 }, name: 'demo', uuid: expect.any(String) as string,
        dying: false, paused: false, shutdown: undefined, pages: 1000, vcpus: 3, cpuTime: 1_500_000_000n,
      },
    ])
  })

  it('keeps the configuration a guest came with, whatever its form', async () => {
    const on = host()
    for (const config of ['name = "x"\nmemory = 16\n', '{"c_info":{"uuid":"e56c9c86-0e6d-40a1-8115-be1336d13069","name":"new"},"big":12345678901234567890}\0']) {
      const guest = await on.openForRestore({ kind: 'pvh', name: 'new', config })
      await guest.complete({ store: 0, console: 0 })
      expect(await on.config(guest.facts.domId)).toBe(config)
      await guest.lifecycle.destroy()
      await guest.close()
    }
    const uuid = await on.openForRestore({ kind: 'pvh', name: 'new', config: 'uuid = "e56c9c86-0e6d-40a1-8115-be1336d13069"' })
    expect((await on.list())[0]?.uuid).toBe('e56c9c86-0e6d-40a1-8115-be1336d13069')
    await uuid.close()
  })
})
