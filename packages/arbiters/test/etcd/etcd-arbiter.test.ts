import { etcdArbiter } from '@xen-replication/arbiters'
import { arbiterCases, type ArbiterBench } from '@xen-replication/compliance'
import type { Arbiter } from '@xen-replication/plugin-api'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { claimOf, grantFor, guest, never, race, reasonOf } from '../asking.ts'
import { tempDir, type TempDir } from '../temp-dir.ts'
import { makeCertificates } from './certificates.ts'
import { cutProxy, type CutProxy } from './cut-proxy.ts'
import { etcdProgram, etcdRequired, freePort, startEtcd, type EtcdServer } from './etcd-server.ts'

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')
const newKey = (): string => `xr/${randomUUID()}`
const open = (url: string): Promise<Arbiter> => etcdArbiter.open(url, never())

it.runIf(etcdRequired)('etcd is there to test with', () => expect(etcdProgram, 'run tools/debian-package.sh etcd-server').toBeDefined())

describe.skipIf(etcdProgram === undefined)('with a real etcd', () => {
  let etcd: EtcdServer
  beforeAll(async () => {
    etcd = await startEtcd()
  })
  afterAll(() => etcd.remove())
  const url = (key = newKey()): string => `etcd://${etcd.address}/${key}?timeout=20000`
  const keyOf = (key: string, session: string): string => base64(`${key}/${guest}/${Buffer.from(session).toString('base64url')}`)

  describe('the contract of an arbiter', () => {
    const openBench = (): Promise<ArbiterBench> => {
      const own = url()
      return Promise.resolve({ open: () => open(own), close: () => Promise.resolve() })
    }
    for (const one of arbiterCases) it(one.name, () => one.run(openBench))
  })

  it('of two hosts that ask at once one wins, 200 times, with tokens that grow', async () => {
    const own = url()
    const [here, there] = [await open(own), await open(own)]
    let last = 0n
    for (let i = 0; i < 200; i++) {
      const won = await race(here, there, `session ${i}`)
      expect(won).toHaveLength(1)
      expect(won[0]?.token).toBeGreaterThan(last)
      last = won[0]?.token ?? 0n
    }
    await Promise.all([here.close(), there.close()])
  })

  it('an answer that was lost is given again: the key of the other side, or its own', async () => {
    const proxy = await cutProxy(etcd.address)
    const key = newKey()
    const [here, there] = [await open(`etcd://${proxy.address}/${key}?timeout=1500`), await open(url(key))]
    for (const how of ['reset', 'silence'] as const) {
      proxy.lose(how)
      expect((await here.claim(claimOf(how), never())).answer).toBe('unknown')
      expect(proxy.lost).toBeGreaterThan(0)
      proxy.lose('nothing')
      expect((await there.claim(claimOf(how, 'secondary'), never())).answer).toBe('denied')
      const grant = await grantFor(here, claimOf(how))
      expect(await there.holds(grant, never())).toBe(true)
    }
    await Promise.all([here.close(), there.close(), proxy.close()])
  })

  it('compaction of the history takes no grant away', async () => {
    const here = await open(url())
    const first = await grantFor(here, claimOf('a'))
    const { header } = (await etcd.ask('/v3/kv/put', { key: base64('unrelated'), value: base64('1') })) as { header: { revision: string } }
    await etcd.ask('/v3/kv/compaction', { revision: header.revision, physical: true })
    expect((await grantFor(here, claimOf('a'))).token).toBe(first.token)
    expect(await here.holds(first, never())).toBe(true)
    expect((await here.claim(claimOf('a', 'secondary'), never())).answer).toBe('denied')
    expect((await grantFor(here, claimOf('b'))).token).toBeGreaterThan(BigInt(header.revision))
    expect(await here.holds(first, never())).toBe(false)
    await here.close()
  })

  it('sessions whose names look like paths or parts of others are different sessions', async () => {
    const here = await open(url())
    const sessions = ['a', 'a/', 'a/b', '../a', 'ä', 'A']
    const tokens = await Promise.all(sessions.map(async (session) => (await grantFor(here, claimOf(session))).token))
    expect(new Set(tokens).size).toBe(sessions.length)
    await here.close()
  })

  it('a guest whose name another one begins with does not take its grants away', async () => {
    const here = await open(url())
    const grant = await grantFor(here, claimOf('s'))
    await here.claim({ guest: `${guest}0`, session: 's', side: 'primary' }, never())
    await here.claim({ guest: guest.slice(0, -1), session: 's', side: 'primary' }, never())
    expect(await here.holds(grant, never())).toBe(true)
    await here.close()
  })

  describe('what somebody else did to the keys', () => {
    it.each([['no claim', 'hello'], ['a claim of another session', JSON.stringify(claimOf('other'))], ['bytes', '\u0000\uffff']])('%s in the place of a grant: no answer', async (_, value) => {
      const key = newKey()
      const here = await open(url(key))
      await etcd.ask('/v3/kv/put', { key: keyOf(key, 's'), value: base64(value) })
      expect(reasonOf(await here.claim(claimOf('s'), never()))).toMatch(/not a grant|something else/)
      await here.close()
    })

    it('a grant that was written over: no answer, and it does not hold', async () => {
      const key = newKey()
      const here = await open(url(key))
      const grant = await grantFor(here, claimOf('s'))
      await etcd.ask('/v3/kv/put', { key: keyOf(key, 's'), value: base64(JSON.stringify(claimOf('s', 'secondary'))) })
      expect((await here.claim(claimOf('s', 'secondary'), never())).answer).toBe('unknown')
      expect(await here.holds(grant, never())).toBe(false)
      await here.close()
    })

    it('a grant that was deleted does not hold', async () => {
      const key = newKey()
      const here = await open(url(key))
      const grant = await grantFor(here, claimOf('s'))
      await etcd.ask('/v3/kv/deleterange', { key: keyOf(key, 's') })
      expect(await here.holds(grant, never())).toBe(false)
      await here.close()
    })
  })

  describe('members that are not there', () => {
    it('the others are asked', async () => {
      const key = newKey()
      const here = await open(`etcd://127.0.0.1:${await freePort()},${etcd.address}/${key}?timeout=20000`)
      const grant = await grantFor(here, claimOf('s'))
      expect(await here.holds(grant, never())).toBe(true)
      await here.close()
    })

    it('one that is silent costs its share of the time', async () => {
      const proxy = await cutProxy(etcd.address)
      const here = await open(`etcd://${proxy.address},${etcd.address}/${newKey()}?timeout=4000`)
      proxy.lose('silence')
      expect((await here.claim(claimOf('s'), never())).answer).toBe('granted')
      expect((await here.claim(claimOf('s', 'secondary'), never())).answer).toBe('denied')
      await Promise.all([here.close(), proxy.close()])
    })

    it('none at all: xr is told at the start', async () =>
      expect(open(`etcd://127.0.0.1:${await freePort()}/xr?timeout=3000`)).rejects.toMatchObject({ code: 'ARBITER_UNREACHABLE' }))

    it('no majority: xr is told at the start', async () => {
      const lonely = await startEtcd({ until: 'listening', missing: [`two=http://127.0.0.1:${await freePort()}`] })
      onTestFinished(() => lonely.remove())
      await expect(open(`etcd://${lonely.address}/xr?timeout=1000`)).rejects.toMatchObject({ code: expect.stringMatching(/ARBITER_(SLOW|UNREACHABLE)/) as string })
    })
  })

  it('asking can be called off while etcd is silent', async () => {
    const proxy = await cutProxy(etcd.address)
    const here = await open(`etcd://${proxy.address}/${newKey()}?timeout=60000`)
    proxy.lose('silence')
    const stop = new AbortController()
    const asked = [here.claim(claimOf('s'), stop.signal), here.holds({ claim: claimOf('s'), token: 1n }, stop.signal)]
    stop.abort(new Error('called off'))
    for (const one of asked) await expect(one).rejects.toThrow('called off')
    await Promise.all([here.close(), proxy.close()])
  })

  it('a closed arbiter gives no answer', async () => {
    const here = await open(url())
    await here.close()
    expect((await here.claim(claimOf('s'), never())).answer).toBe('unknown')
    expect(await here.holds({ claim: claimOf('s'), token: 1n }, never())).toBe(false)
  })

  it.each(['..', 'x/y'])('a guest called %s is never asked about', async (name) => {
    const here = await open(url())
    expect((await here.claim({ ...claimOf('s'), guest: name }, never())).answer).toBe('unknown')
    await here.close()
  })
})

describe.skipIf(etcdProgram === undefined)('an etcd that is stopped and started', () => {
  let etcd: EtcdServer
  let proxy: CutProxy
  beforeAll(async () => {
    etcd = await startEtcd()
    proxy = await cutProxy(etcd.address)
  })
  afterAll(() => Promise.all([etcd.remove(), proxy.close()]))

  it('gives no answer while it is away, and the same answers afterwards', async () => {
    const key = newKey()
    const [here, there] = [await open(`etcd://${etcd.address}/${key}?timeout=10000`), await open(`etcd://${etcd.address}/${key}?timeout=10000`)]
    const grant = await grantFor(here, claimOf('s'))
    await etcd.stop()
    expect([(await here.claim(claimOf('s'), never())).answer, (await there.claim(claimOf('s', 'secondary'), never())).answer]).toEqual(['unknown', 'unknown'])
    expect(await here.holds(grant, never())).toBe(false)
    await etcd.start()
    expect((await there.claim(claimOf('s', 'secondary'), never())).answer).toBe('denied')
    expect((await grantFor(here, claimOf('s'))).token).toBe(grant.token)
    expect(await here.holds(grant, never())).toBe(true)
    expect((await grantFor(there, claimOf('later', 'secondary'))).token).toBeGreaterThan(grant.token)
    await Promise.all([here.close(), there.close()])
  })

  it('killed while both sides ask: never both win, and in the end one has', async () => {
    const key = newKey()
    const [here, there] = [await open(`etcd://${etcd.address}/${key}?timeout=10000`), await open(`etcd://${etcd.address}/${key}?timeout=10000`)]
    for (let round = 0; round < 5; round++) {
      const asked = race(here, there, `round ${round}`)
      await etcd.stop()
      const early = await asked
      await etcd.start()
      const late = await race(here, there, `round ${round}`)
      expect(late).toHaveLength(1)
      for (const grant of early) expect(grant).toEqual(late[0])
    }
    await Promise.all([here.close(), there.close()])
  })
})

describe.skipIf(etcdProgram === undefined)('an etcd that lets not everybody in', () => {
  let dir: TempDir
  beforeAll(() => {
    dir = tempDir()
  })
  afterAll(() => dir.remove())

  it('by name and password; a login that has run out is done again', async () => {
    const etcd = await startEtcd()
    onTestFinished(() => etcd.remove())
    await etcd.ask('/v3/auth/user/add', { name: 'root', password: 'secret root' })
    await etcd.ask('/v3/auth/role/add', { name: 'root' })
    await etcd.ask('/v3/auth/user/grant', { user: 'root', role: 'root' })
    await etcd.ask('/v3/auth/user/add', { name: 'xr', password: 'secret xr' })
    await etcd.ask('/v3/auth/role/add', { name: 'xr' })
    await etcd.ask('/v3/auth/role/grant', { name: 'xr', perm: { permType: 'READWRITE', key: base64('xr/'), range_end: base64('xr0') } })
    await etcd.ask('/v3/auth/user/grant', { user: 'xr', role: 'xr' })
    await etcd.ask('/v3/auth/enable', {})
    writeFileSync(dir.path('password'), 'secret xr\n')
    writeFileSync(dir.path('wrong'), 'guessed\n')
    const as = (file: string, key = 'xr'): Promise<Arbiter> => open(`etcd://${etcd.address}/${key}?user=xr&password-file=${dir.path(file)}&timeout=10000`)
    await expect(open(`etcd://${etcd.address}/xr`)).rejects.toMatchObject({ code: 'ARBITER_UNREACHABLE' })
    await expect(as('wrong')).rejects.toMatchObject({ code: 'ARBITER_UNREACHABLE' })
    await expect(as('password', 'elsewhere')).rejects.toMatchObject({ code: 'ARBITER_UNREACHABLE' })
    const here = await as('password')
    const grant = await grantFor(here, claimOf('s'))
    await etcd.stop()
    await etcd.start() // logins are kept in memory only
    expect(await here.holds(grant, never())).toBe(true)
    expect((await grantFor(here, claimOf('s'))).token).toBe(grant.token)
    await here.close()
  })

  it('by certificates, both ways', async () => {
    const [ours, others] = [makeCertificates(dir, 'ours'), makeCertificates(dir, 'others')]
    const etcd = await startEtcd({ args: ['--cert-file', ours.cert, '--key-file', ours.key, '--trusted-ca-file', ours.ca, '--client-cert-auth'], scheme: 'https', until: 'listening' })
    onTestFinished(() => etcd.remove())
    const by = (files: string): Promise<Arbiter> => open(`etcd://${etcd.address}/xr?timeout=10000&${files}`)
    const here = await by(`ca=${ours.ca}&cert=${ours.cert}&key=${ours.key}`)
    const grant = await grantFor(here, claimOf('s'))
    expect(await here.holds(grant, never())).toBe(true)
    await here.close()
    for (const files of [`ca=${ours.ca}`, `ca=${ours.ca}&cert=${others.cert}&key=${others.key}`, `ca=${others.ca}&cert=${ours.cert}&key=${ours.key}`, 'tls=1']) {
      await expect(by(files), files).rejects.toMatchObject({ code: 'ARBITER_UNREACHABLE' })
    }
  })
})
