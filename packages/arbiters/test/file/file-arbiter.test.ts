import { fileArbiter } from '@xen-replication/arbiters'
import { arbiterCases, type ArbiterBench } from '@xen-replication/compliance'
import type { Arbiter } from '@xen-replication/plugin-api'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { claimOf, grantFor, guest, never, race, reasonOf } from '../asking.ts'
import { tempDir, type TempDir } from '../temp-dir.ts'

const arbiter = fileArbiter({ timeoutMs: 30_000 })
let dir: TempDir
let open: () => Promise<Arbiter>
beforeEach(() => {
  dir = tempDir()
  mkdirSync(dir.path('shared'))
  open = () => arbiter.open(`file:${dir.path('shared')}`, never())
})
afterEach(() => dir.remove())
const grantFile = (token: number): string => dir.path(`shared/${guest}.${token}.grant`)

describe('the contract of an arbiter', () => {
  const openBench = (): Promise<ArbiterBench> => {
    const own = tempDir()
    return Promise.resolve({ open: () => arbiter.open(`file://${own.root}`, never()), close: () => Promise.resolve(own.remove()) })
  }
  for (const one of arbiterCases) it(one.name, () => one.run(openBench))
})

describe('two hosts on one folder', () => {
  it('one of them wins, 200 times', async () => {
    const [here, there] = [await open(), await open()]
    for (let i = 0; i < 200; i++) expect(await race(here, there, `session ${i}`)).toHaveLength(1)
    expect(readdirSync(dir.path('shared'))).toHaveLength(200)
  })

  it('guests are told apart', async () => {
    await grantFor(await open(), claimOf('s'))
    const verdict = await (await open()).claim({ guest: 'another', session: 's', side: 'secondary' }, never())
    expect(verdict).toMatchObject({ answer: 'granted', grant: { token: 1n } })
  })

  it('a denial tells who has the right', async () => {
    await grantFor(await open(), claimOf('s', 'secondary'))
    expect(reasonOf(await (await open()).claim(claimOf('s'), never()))).toMatch(/secondary of this session .*token 1/)
  })
})

describe('a crash in the middle', () => {
  it('leaves a file that nobody takes for a grant', async () => {
    writeFileSync(dir.path('shared/.4711.claim'), JSON.stringify(claimOf('s', 'secondary')))
    expect((await grantFor(await open(), claimOf('s'))).token).toBe(1n)
  })

  it('after the grant was linked, the same side is granted the same', async () => {
    writeFileSync(grantFile(1), JSON.stringify(claimOf('s', 'secondary')))
    expect((await grantFor(await open(), claimOf('s', 'secondary'))).token).toBe(1n)
    expect((await (await open()).claim(claimOf('s'), never())).answer).toBe('denied')
  })
})

describe('what is not as it should be', () => {
  it.each([
    ['an empty file', ''],
    ['no JSON', 'granted\n'],
    ['JSON of something else', '{"a":1}'],
    ['no side', JSON.stringify({ guest, session: 's', side: 'both' })],
    ['a grant of another guest', JSON.stringify({ ...claimOf('s'), guest: 'another' })],
    ['a file without end', '{'.repeat(1_000_000)],
  ])('%s in the place of a grant: no answer, and it holds nothing', async (_, text) => {
    const here = await open()
    writeFileSync(grantFile(1), text)
    const verdict = await here.claim(claimOf('s'), never())
    expect(verdict.answer).toBe('unknown')
    expect(reasonOf(verdict)).toContain(grantFile(1))
    expect(await here.holds({ claim: claimOf('s'), token: 1n }, never())).toBe(false)
  })

  it('a link in the place of a grant is not followed', async () => {
    writeFileSync(dir.path('elsewhere'), JSON.stringify(claimOf('s')))
    const here = await open()
    symlinkSync(dir.path('elsewhere'), grantFile(1))
    expect((await here.claim(claimOf('s'), never())).answer).toBe('unknown')
  })

  it('a storage that is gone: no answer, until it is back', async () => {
    const here = await open()
    const grant = await grantFor(here, claimOf('s'))
    renameSync(dir.path('shared'), dir.path('unmounted'))
    expect((await here.claim(claimOf('s'), never())).answer).toBe('unknown')
    expect(await here.holds(grant, never())).toBe(false)
    renameSync(dir.path('unmounted'), dir.path('shared'))
    expect((await grantFor(here, claimOf('s'))).token).toBe(grant.token)
    expect(await here.holds(grant, never())).toBe(true)
  })

  it('a grant that was removed does not hold', async () => {
    const here = await open()
    const grant = await grantFor(here, claimOf('s'))
    rmSync(grantFile(1))
    expect(await here.holds(grant, never())).toBe(false)
  })

  it.each([['a guest with a slash', { ...claimOf('s'), guest: '../x' }], ['no guest', { ...claimOf('s'), guest: '' }], ['no session', claimOf('')], ['a session of two lines', claimOf('a\nb')], ['a session without end', claimOf('s'.repeat(1000))]])(
    '%s: no answer, and nothing is written',
    async (_, claim) => {
      expect((await (await open()).claim(claim, never())).answer).toBe('unknown')
      expect(readdirSync(dir.path('shared'))).toEqual([])
    },
  )

  it('a closed arbiter gives no answer', async () => {
    const here = await open()
    const grant = await grantFor(here, claimOf('s'))
    await here.close()
    expect((await here.claim(claimOf('s'), never())).answer).toBe('unknown')
    expect(await here.holds(grant, never())).toBe(false)
  })
})

describe('opening', () => {
  it('leaves nothing in the folder', async () => {
    await open()
    expect(readdirSync(dir.path('shared'))).toEqual([])
  })

  it('a folder that is missing is refused, with what to do', () =>
    expect(arbiter.open(`file:${dir.path('nothing')}`, never())).rejects.toMatchObject({ code: 'ARBITER_STORAGE', hint: expect.stringContaining('below where it is mounted') as string }))

  it('a file in the place of the folder is refused', () => {
    writeFileSync(dir.path('file'), '')
    return expect(arbiter.open(`file:${dir.path('file')}`, never())).rejects.toMatchObject({ code: 'ARBITER_STORAGE', hint: 'give the path of a folder' })
  })

  it('a file system without hard links is refused', () =>
    expect(arbiter.open('file:/proc/self', never())).rejects.toMatchObject({ code: 'ARBITER_STORAGE' }))

  it.each(['file:', 'file://host/path'])('%s is refused', (url) => expect(arbiter.open(url, never())).rejects.toMatchObject({ code: 'ARBITER_ADDRESS' }))

  it('can be called off', async () => {
    const reason = new Error('called off')
    await expect(arbiter.open(`file:${dir.path('shared')}`, AbortSignal.abort(reason))).rejects.toBe(reason)
  })

  it('grants can be read by the other host, whoever runs xr there', async () => {
    await grantFor(await open(), claimOf('s'))
    expect(JSON.parse(readFileSync(grantFile(1), 'utf8'))).toEqual(claimOf('s'))
  })
})
