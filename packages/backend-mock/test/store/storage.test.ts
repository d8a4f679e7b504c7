import { tryLock } from '@xen-replication/durable'
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openMockHost, type MockHost } from '@xen-replication/backend-mock'
import { openDirectory } from '../../src/store/directory-store.ts'
import { GuestDirectory } from '../../src/store/guest-directory.ts'
import { digest, MIB } from '../hosts.ts'
import { emptyDirectory } from './processes.ts'

const GUEST = 1 as never

async function hostWithGuest(options: { readonly start?: 'paused' } = {}): Promise<{ readonly dir: string; readonly host: MockHost; readonly guest: string }> {
  const dir = emptyDirectory()
  const host = await openMockHost(dir)
  await host.createGuest({ name: 'demo', kind: 'hvm', memoryBytes: 2 * MIB, workload: 'uniform', rate: 5000, ...options })
  return { dir, host, guest: join(dir, 'guests/1') }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe('a guest that was stored', () => {
  it('has its memory in place, and nothing else lies about', async () => {
    const { dir, host, guest } = await hostWithGuest()
    await pause(20)
    await (await host.openForSave(GUEST)).close() // nobody looked, so there is nothing to store
    expect(await host.inspect(GUEST, ({ ops }) => ops)).toBeGreaterThan(0)
    expect(readdirSync(guest).filter((name) => name !== 'lease').sort()).toEqual(['events-2', 'memory', 'record.json'])
    expect(readdirSync(dir).sort()).toEqual(['guests', 'host.json', 'lock'])
  })

  it('is as before when the process died with pages written aside and no record', async () => {
    const { dir, host, guest } = await hostWithGuest({ start: 'paused' })
    const before = await digest({ host, domId: GUEST })
    const generation = new GuestDirectory(guest).read()?.record.generation as number
    new GuestDirectory(guest).writeNext(generation + 1, { p2m: undefined, pages: [[300, new Uint8Array(4096).fill(9)]] })
    writeFileSync(join(guest, 'record.json.99.new'), 'half a rec')
    writeFileSync(join(guest, `events-${generation - 1}`), 'old')
    const again = await openMockHost(dir)
    expect(await digest({ host: again, domId: GUEST })).toBe(before)
    expect(readdirSync(guest).filter((name) => /journal|new/.test(name))).toEqual([])
  })

  it('is whole when the process died after the record and before its pages were in place', async () => {
    const { dir, guest } = await hostWithGuest({ start: 'paused' })
    const stored = new GuestDirectory(guest)
    const record = stored.read()?.record
    if (record === undefined) throw new Error('no guest')
    const next = { ...record, generation: record.generation + 1 }
    const journal = join(guest, `journal-${next.generation}`)
    const written = stored.writeNext(next.generation, { p2m: undefined, pages: [[300, new Uint8Array(8192).fill(9)]] })
    copyFileSync(journal, `${journal}.kept`)
    const memory = readFileSync(join(guest, 'memory'))
    stored.commit(next, written, 0)
    writeFileSync(join(guest, 'memory'), memory)
    copyFileSync(`${journal}.kept`, journal)
    const host = await openMockHost(dir)
    const seen = await host.inspect(GUEST, (view) => [view.page(300)?.[0], view.page(301)?.[4095], view.page(302)?.[0]])
    expect(seen).toEqual([9, 9, 0])
    expect(existsSync(journal)).toBe(false)
  })

  it('passes over a last event that was not written whole', async () => {
    const { dir, host, guest } = await hostWithGuest()
    await host.lifecycle(GUEST).pause()
    const events = join(guest, readdirSync(guest).find((name) => name.startsWith('events-')) ?? '')
    appendFileSync(events, '{"at":17')
    expect(await (await openMockHost(dir)).list()).toMatchObject([{ paused: true }])
  })

  it('is told apart from one whose record is damaged, of another version, or of something else', async () => {
    const { dir, guest } = await hostWithGuest()
    const path = join(guest, 'record.json')
    const good = readFileSync(path, 'utf8')
    for (const [bad, says] of [['{', 'is damaged'], ['null', 'is not what'], ['{"format":"other"}', 'is not what'], [good.replace('"version":1', '"version":2'), 'another version']] as const) {
      writeFileSync(path, bad)
      await expect(openMockHost(dir).then((host) => host.list())).rejects.toMatchObject({ code: 'BACKEND_HOST', message: expect.stringContaining(says) as string })
    }
    writeFileSync(path, good)
    rmSync(join(guest, 'memory'))
    await expect((await openMockHost(dir)).inspect(GUEST, ({ ops }) => ops)).rejects.toMatchObject({ code: 'BACKEND_HOST' })
  })

  it('is stored anew when its events have become very many', async () => {
    const { host, guest } = await hostWithGuest()
    const opened = await host.openForSave(GUEST)
    for (let n = 0; n < 2501; n += 1) {
      await opened.lifecycle.suspend()
      await opened.lifecycle.resume('cancelled')
    }
    expect(new GuestDirectory(guest).read()).toMatchObject({ record: { generation: 2 } })
    expect(new GuestDirectory(guest).read()?.events.length).toBeLessThan(10)
    await opened.close()
    expect(await host.inspect(GUEST, ({ returned, crash }) => ({ returned, crash }))).toEqual({ returned: { cancelled: 2501, resumed: 0 }, crash: undefined })
  }, 30_000)
})

describe('a PV guest that was stored', () => {
  it('cannot be opened without its list of frames, and is not held by whoever tried', async () => {
    const dir = emptyDirectory()
    const host = await openMockHost(dir)
    await host.createGuest({ name: 'demo', kind: 'pv', memoryBytes: 2 * MIB })
    renameSync(join(dir, 'guests/1/p2m'), join(dir, 'p2m'))
    await expect(host.openForSave(GUEST)).rejects.toMatchObject({ code: 'BACKEND_HOST' })
    renameSync(join(dir, 'p2m'), join(dir, 'guests/1/p2m'))
    await (await (await openMockHost(dir)).openForSave(GUEST)).close()
  })

  it('that was destroyed while it was being stored is not there again', async () => {
    const dir = emptyDirectory()
    const host = await openMockHost(dir)
    await host.createGuest({ name: 'demo', kind: 'pv', memoryBytes: 2 * MIB })
    const store = await openDirectory(dir, { seed: 1, memoryBytes: 1 })
    const record = store.guest(1)?.record
    if (record === undefined) throw new Error('no guest')
    await host.lifecycle(GUEST).destroy()
    for (const generation of [1, 2]) await expect(store.save({ ...record, generation }, { p2m: undefined, pages: [] }, 0)).rejects.toMatchObject({ code: 'BACKEND_NO_SUCH_DOMAIN' })
    expect(await host.list()).toEqual([])
  })
})

describe('the directory of a host', () => {
  it('is made with all above it, and keeps the seed it was made with', async () => {
    const dir = join(emptyDirectory(), 'a/b')
    await (await openMockHost(dir, { seed: 5 })).close()
    await openMockHost(dir, { seed: 6 })
    expect(JSON.parse(readFileSync(join(dir, 'host.json'), 'utf8'))).toMatchObject({ format: 'xr-mock-host', version: 1, seed: 5, nextDomId: 1 })
  })

  it('is refused when it is a file, or holds a host of another version', async () => {
    const dir = emptyDirectory()
    writeFileSync(join(dir, 'file'), '')
    await expect(openMockHost(join(dir, 'file'))).rejects.toMatchObject({ code: 'BACKEND_HOST' })
    writeFileSync(join(dir, 'host.json'), '{"format":"xr-mock-host","version":9}')
    await expect(openMockHost(dir)).rejects.toMatchObject({ code: 'BACKEND_HOST', hint: 'use that version, or another directory' })
    rmSync(join(dir, 'host.json'))
    mkdirSync(join(dir, 'host.json'))
    await expect(openMockHost(dir)).rejects.toMatchObject({ code: 'BACKEND_HOST' })
  })

  it('is waited for while another process changes it', async () => {
    const dir = emptyDirectory()
    const host = await openMockHost(dir)
    const lock = tryLock(join(dir, 'lock'))
    const created = host.createGuest({ name: 'demo', kind: 'hvm', memoryBytes: 2 * MIB })
    await pause(30)
    expect(await host.list()).toEqual([])
    if (typeof lock !== 'number') lock.release()
    expect(await created).toBe(1)
  })

  it('loses guests that are being built when its host is closed', async () => {
    const { dir, host } = await hostWithGuest()
    const guest = await host.openForRestore({ kind: 'pv', name: 'half', config: '' })
    await guest.memory.populate([0], 0)
    await host.close()
    expect(await (await openMockHost(dir)).list()).toMatchObject([{ name: 'demo' }])
  })

  it('says so when it goes away under the feet of its host', async () => {
    const { dir, host } = await hostWithGuest()
    const opened = await host.openForSave(GUEST)
    rmSync(dir, { recursive: true })
    await expect(host.createGuest({ name: 'b', kind: 'pv', memoryBytes: 2 * MIB })).rejects.toMatchObject({ code: 'BACKEND_HOST' })
    await expect(opened.memory.frames()).rejects.toMatchObject({ code: 'BACKEND_NO_SUCH_DOMAIN' })
  })
})
