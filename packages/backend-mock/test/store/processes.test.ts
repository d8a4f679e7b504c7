import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { openMockHost, type MockHost } from '@xen-replication/backend-mock'
import { everyKind, digest, MIB } from '../hosts.ts'
import { moved } from '../carry.ts'
import { bundle, emptyDirectory, run, start } from './processes.ts'

const at: { path: string } = { path: '' }
beforeAll(async () => {
  at.path = await bundle()
}, 60_000)

const create = (extra = ''): string => `const host = await mock.openMockHost(dir); await host.createGuest({ name: 'demo', kind: 'pv', memoryBytes: 4 << 20, rate: 2000, workload: 'uniform', ${extra} }); await host.close();`
const ops = (host: MockHost): Promise<number> => host.list().then(([first]) => host.inspect(first?.domId as never, (guest) => guest.ops))

describe('a guest made by one process', () => {
  it.each(everyKind)('is seen by another, and has gone on running in between: $title', async (spec) => {
    const dir = emptyDirectory()
    const made = await run(at.path, dir, `const host = await mock.openMockHost(dir); console.log(await host.createGuest({ ...${JSON.stringify(spec)}, name: 'demo', memoryBytes: 4 << 20, workload: 'zipf' })); await host.close();`)
    expect(made).toMatchObject({ code: 0, out: '1\n' })
    const host = await openMockHost(dir)
    const first = await ops(host)
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(await ops(host)).toBeGreaterThan(first)
    expect(first).toBeGreaterThan(0)
    expect(await host.list()).toMatchObject([{ domId: 1, name: 'demo', kind: spec.kind, paused: false }])
    await host.close()
  })

  it('stands still for all once one has suspended it, and is the same for all', async () => {
    const dir = emptyDirectory()
    await run(at.path, dir, `${create()} await new Promise((r) => setTimeout(r, 100)); await host.lifecycle(1).suspend();`)
    const [one, two] = [await openMockHost(dir), await openMockHost(dir)]
    expect(await one.list()).toMatchObject([{ shutdown: 'suspend' }])
    const seen = await digest({ host: one, domId: 1 as never })
    expect(await digest({ host: two, domId: 1 as never })).toBe(seen)
    expect(await ops(two)).toBeGreaterThan(100)
    await two.lifecycle(1 as never).resume('cancelled')
    expect(await one.lifecycle(1 as never).state()).toMatchObject({ shutdown: undefined })
    expect(await one.inspect(1 as never, ({ returned, crash }) => ({ returned, crash }))).toEqual({ returned: { cancelled: 1, resumed: 0 }, crash: undefined })
  })

  it('can be brought to another host in a directory, and back, and lives on there', async () => {
    const [a, b] = [emptyDirectory(), emptyDirectory()]
    await run(at.path, a, create())
    const [here, there] = [await openMockHost(a), await openMockHost(b)]
    const domId = await moved({ host: here, domId: 1 as never }, there)
    await here.lifecycle(1 as never).destroy()
    await there.lifecycle(domId).unpause()
    const again = await run(at.path, b, `const host = await mock.openMockHost(dir); console.log(JSON.stringify(await host.inspect(1, ({ crash, returned }) => ({ crash, returned }))));`)
    expect(again).toMatchObject({ errors: '', out: '{"returned":{"cancelled":0,"resumed":1}}\n' })
    expect(await here.list()).toEqual([])
    expect(readdirSync(join(a, 'guests'))).toEqual([])
  })

  it('takes as much room as it has filled', async () => {
    const dir = emptyDirectory()
    const host = await openMockHost(dir)
    const before = performance.now()
    await host.createGuest({ name: 'large', kind: 'hvm', memoryBytes: 1024 * MIB })
    expect(performance.now() - before).toBeLessThan(1000)
    expect(statSync(join(dir, 'guests/1/memory')).blocks * 512).toBeLessThan(MIB)
  })
})

describe('while one process works on a guest', () => {
  it('another can list it and even destroy it, but not save it', async () => {
    const dir = emptyDirectory()
    await run(at.path, dir, create())
    const busy = start(at.path, dir, `const host = await mock.openMockHost(dir); const guest = await host.openForSave(1); console.log('open');
      try { for (;;) { await guest.memory.frames(); await new Promise((r) => setTimeout(r, 5)) } } catch (e) { console.log(e.code) } await guest.close();`)
    await busy.printed('open')
    const host = await openMockHost(dir)
    await expect(host.openForSave(1 as never)).rejects.toMatchObject({ code: 'BACKEND_STATE', message: expect.stringContaining(String(busy.child.pid)) as string })
    expect(await host.list()).toHaveLength(1)
    await host.lifecycle(1 as never).pause()
    await host.rename(1 as never, 'renamed')
    expect(await host.list()).toMatchObject([{ name: 'renamed', paused: true }])
    await host.lifecycle(1 as never).destroy()
    expect(await busy.ended).toMatchObject({ out: 'open\nBACKEND_NO_SUCH_DOMAIN\n', errors: '', code: 0 })
    expect(await host.list()).toEqual([])
  })

  it('a name that another gave the guest is kept when the first lets go', async () => {
    const dir = emptyDirectory()
    await run(at.path, dir, create())
    const one = await openMockHost(dir)
    const guest = await one.openForSave(1 as never)
    await run(at.path, dir, `const host = await mock.openMockHost(dir); await host.rename(1, 'other'); await host.lifecycle(1).pause();`)
    await guest.close()
    expect(await one.list()).toMatchObject([{ name: 'other', paused: true }])
  })

  it('its death frees the guest, and the guest goes on as if nothing had been', async () => {
    const dir = emptyDirectory()
    await run(at.path, dir, create())
    const dying = await run(at.path, dir, `const host = await mock.openMockHost(dir); const guest = await host.openForSave(1); await guest.dirty.enable(); await guest.lifecycle.suspend(); await guest.memory.types([1]); process.kill(process.pid, 'SIGKILL');`)
    expect(dying.signal).toBe('SIGKILL')
    const host = await openMockHost(dir)
    expect(await host.list()).toMatchObject([{ shutdown: 'suspend' }])
    const guest = await host.openForSave(1 as never)
    await guest.dirty.enable()
    await guest.lifecycle.resume('cancelled')
    await guest.close()
    expect(await host.inspect(1 as never, ({ crash, returned }) => ({ crash, returned }))).toEqual({ crash: undefined, returned: { cancelled: 1, resumed: 0 } })
  })

  it('faults can kill it at a call that was named', async () => {
    const dir = emptyDirectory()
    await run(at.path, dir, create())
    const dying = await run(at.path, dir, `const host = mock.withFaults(await mock.openMockHost(dir), mock.parseFaults('take:2=kill')); const guest = await host.openForSave(1); await guest.dirty.enable(); await guest.dirty.take(8); console.log('once'); await guest.dirty.take(8); console.log('twice');`)
    expect(dying).toMatchObject({ signal: 'SIGKILL', out: 'once\n' })
  })

  it('a guest that it builds vanishes with it', async () => {
    const dir = emptyDirectory()
    const building = start(at.path, dir, `const host = await mock.openMockHost(dir); const guest = await host.openForRestore({ kind: 'hvm', name: 'half', config: '' }); await guest.memory.populate([0, 1], 0); console.log('built'); setInterval(() => 0, 1000);`)
    await building.printed('built')
    const host = await openMockHost(dir)
    expect(await host.list()).toMatchObject([{ name: 'half', paused: true }])
    await expect(host.createGuest({ name: 'half', kind: 'pv', memoryBytes: MIB })).rejects.toMatchObject({ code: 'BACKEND_NAME_TAKEN' })
    building.child.kill('SIGKILL')
    await building.ended
    expect(await host.list()).toEqual([])
    expect(await host.createGuest({ name: 'half', kind: 'pv', memoryBytes: MIB })).toBe(2)
    expect(existsSync(join(dir, 'guests/1'))).toBe(false)
  })
})

describe('a host that is killed', () => {
  it('can be read whenever that was, and its guests hold together', async () => {
    const dir = emptyDirectory()
    await run(at.path, dir, create("tablesEvery: 10"))
    let last = 0
    for (let n = 0; n < 12; n += 1) {
      const busy = start(at.path, dir, `const host = await mock.openMockHost(dir); console.log('go'); for (let n = 0; ; n++) { const guest = await host.openForSave(1); await guest.lifecycle.suspend(); await guest.lifecycle.resume('cancelled'); await guest.close(); if (n % 3 === 0) { const id = await host.createGuest({ name: 'x' + process.pid + n, kind: 'hvm', memoryBytes: 2 << 20 }); await host.lifecycle(id).destroy() } }`)
      await busy.printed('go')
      await new Promise((resolve) => setTimeout(resolve, 7 * n))
      busy.child.kill('SIGKILL')
      expect((await busy.ended).errors).toBe('')
      const host = await openMockHost(dir)
      await host.lifecycle(1 as never).resume('cancelled')
      const now = await ops(host)
      expect(now).toBeGreaterThanOrEqual(last)
      last = now
      expect(await host.inspect(1 as never, ({ crash }) => crash)).toBeUndefined()
      await host.close()
    }
  }, 60_000)

  it('makes room for others at once: they need not wait for it', async () => {
    const dir = emptyDirectory()
    const all = await Promise.all(Array.from({ length: 6 }, (_, n) => run(at.path, dir, `const host = await mock.openMockHost(dir); for (let n = 0; n < 4; n++) await host.createGuest({ name: 'g${n}-' + n, kind: 'hvm', memoryBytes: 2 << 20 }); await host.close();`)))
    expect(all.map(({ code, errors }) => ({ code, errors }))).toEqual(Array(6).fill({ code: 0, errors: '' }))
    const host = await openMockHost(dir)
    expect((await host.list()).map(({ domId }) => domId)).toEqual(Array.from({ length: 24 }, (_, n) => n + 1))
  }, 60_000)
})
