import { abortOperation, createRegistry, operationsIn } from '@xen-replication/toolstack'
import type { AnyObservedEvent } from '@xen-replication/plugin-api'
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { folderOf } from '../scratch.ts'

const facts = { verb: 'migrate', guest: 'demo', domId: 7, uuid: 'u-u', url: 'tcp://b:1' }
const never = new AbortController().signal
const event = (kind: string, data: object): AnyObservedEvent => ({ kind, at: 0, operation: 'op1', data }) as AnyObservedEvent

function bench(runDir = join(folderOf(), 'run')) {
  const troubles: string[] = []
  let time = 1000
  return { runDir, troubles, registry: createRegistry(runDir, () => (time += 500), (why) => troubles.push(why)) }
}

describe('an operation on the list', () => {
  it('is found by others, with how far it is', async () => {
    const { runDir, registry } = bench()
    const entry = await registry.enter('op1', facts, () => undefined)
    entry.observe(event('save.pass-begin', { pass: 'live', round: 1, expected: 100 }))
    entry.observe(event('save.pages', { pass: 'live', round: 1, sent: 40, expected: 100, bytes: 5000 }))
    entry.observe(event('save.outlook', { round: 2, pauseMs: 3 }))
    entry.observe(event('guest.fate', { guest: 'demo', side: 'source', fate: 'suspended' }))
    expect(await operationsIn(runDir)).toEqual([{ ...facts, id: 'op1', pid: process.pid, seconds: 0.5, progress: { pass: 'live', round: 1, sent: 40, expected: 100, bytes: 5000, outlook: { round: 2, pauseMs: 3 } }, fate: 'suspended' }])
    await entry.leave()
    expect([await operationsIn(runDir), readdirSync(runDir)]).toEqual([[], []])
  })

  it('learns the name of a guest that comes in', async () => {
    const { runDir, registry } = bench()
    const entry = await registry.enter('op2', { verb: 'receive', guest: undefined, url: 'unix:/s' }, () => undefined)
    entry.observe(event('guest.announced', { guest: 'other', kind: 'pv', memoryBytes: undefined }))
    entry.observe(event('restore.pages', { pages: 1, bytes: 9 }))
    expect(await operationsIn(runDir)).toMatchObject([{ guest: 'other', progress: { bytes: 9 } }])
    await entry.leave()
  })

  it('is for its user only', async () => {
    const { runDir, registry } = bench()
    mkdirSync(runDir, { mode: 0o755 })
    const entry = await registry.enter('op1', facts, () => undefined)
    expect([statSync(runDir).mode & 0o777, statSync(join(runDir, 'op1.sock')).mode & 0o777]).toEqual([0o700, 0o600])
    await entry.leave()
  })

  it.each(['demo', '7', 'u-u', 'op1'])('is called off as %s, and who asks waits until it has ended', async (which) => {
    const { runDir, registry } = bench()
    const said: string[] = []
    const entry = await registry.enter('op1', facts, (who) => {
      said.push(who)
      setTimeout(() => {
        entry.observe(event('operation.end', { outcome: 'interrupted', code: 'TOOL_INTERRUPTED', seconds: 1 }))
        void entry.leave()
      }, 20)
    })
    expect(await abortOperation(runDir, which, never)).toMatchObject({ verb: 'migrate', guest: 'demo', outcome: 'interrupted', code: 'TOOL_INTERRUPTED' })
    expect(said).toEqual(['`xr abort`'])
  })

  it('that comes to its end all the same says so', async () => {
    const { runDir, registry } = bench()
    const entry = await registry.enter('op1', facts, () => {
      entry.observe(event('operation.end', { outcome: 'done', code: undefined, seconds: 1 }))
      void entry.leave()
    })
    expect((await abortOperation(runDir, 'demo', never)).outcome).toBe('done')
  })

  it('is the one that has the guest, of the two of a migration on one machine', async () => {
    const { runDir, registry } = bench()
    const called: string[] = []
    const entries = await Promise.all([
      registry.enter('op1', { verb: 'receive', guest: 'demo', url: undefined }, () => called.push('receive')),
      registry.enter('op2', facts, () => {
        called.push('migrate')
        void entries[1]?.leave()
      }),
    ])
    expect((await abortOperation(runDir, 'demo', never)).outcome).toBe('interrupted')
    expect(called).toEqual(['migrate'])
    await entries[0]?.leave()
  })

  it('may be waited for no longer than one wants', async () => {
    const { runDir, registry } = bench()
    const entry = await registry.enter('op1', facts, () => undefined)
    await expect(abortOperation(runDir, 'demo', AbortSignal.timeout(50))).rejects.toMatchObject({ name: 'TimeoutError' })
    await entry.leave()
  })
})

describe('a list', () => {
  it('that is empty, or not there, says so', async () => {
    const { runDir, registry } = bench()
    await expect(abortOperation(runDir, 'demo', never)).rejects.toMatchObject({ code: 'TOOL_NO_OPERATION', hint: 'this user has nothing under way on this host; `xr list` tells how its guests stand' })
    const entry = await registry.enter('op1', facts, () => undefined)
    await expect(abortOperation(runDir, 'other', never)).rejects.toMatchObject({ code: 'TOOL_NO_OPERATION', hint: 'under way: migrate demo' })
    await entry.leave()
  })

  it('is rid of what dead processes left', async () => {
    const { runDir } = bench()
    mkdirSync(runDir)
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(join(runDir, 'dead.sock'), resolve))
    // a name without a listener, as a killed process leaves it
    symlinkSync(join(runDir, 'nowhere'), join(runDir, 'lost.sock'))
    await new Promise((resolve) => server.close(resolve))
    writeFileSync(join(runDir, 'old.sock'), '')
    expect(await operationsIn(runDir)).toEqual([])
    expect(existsSync(join(runDir, 'old.sock'))).toBe(false)
  })

  it('is not stopped by one that answers nonsense', async () => {
    const { runDir, registry } = bench()
    const entry = await registry.enter('op1', facts, () => undefined)
    let answers = 0
    const server = createServer((socket) => socket.end(['nonsense', '{}', 'null'][answers++ % 3] ?? ''))
    await new Promise<void>((resolve) => server.listen(join(runDir, 'odd.sock'), resolve))
    onTestFinished(() => void server.close())
    for (let i = 0; i < 3; i++) expect((await operationsIn(runDir)).map(({ id }) => id)).toEqual(['op1'])
    await entry.leave()
  })

  it.each(['{"ask":"dance"}\n', 'nonsense\n', 'null\n', 'x'.repeat(1000)])('takes no other question: %j', async (question) => {
    const { runDir, registry } = bench()
    const entry = await registry.enter('op1', facts, () => undefined)
    const answer = await new Promise<string>((resolve) => {
      const socket = createConnection(join(runDir, 'op1.sock'))
      let text = ''
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
      socket.on('error', () => undefined)
      socket.on('close', () => resolve(text))
      socket.write(question)
    })
    expect(answer).toBe('')
    await entry.leave()
  })
})

describe('a list that cannot be kept', () => {
  it('does not keep the operation from going on', async () => {
    const folder = folderOf({ file: '' })
    const cases = [join(folder, 'file'), join(folder, 'x'.repeat(120))]
    for (const runDir of cases) {
      const { registry, troubles } = bench(runDir)
      const entry = await registry.enter('op1', facts, () => undefined)
      entry.observe(event('operation.end', { outcome: 'done' }))
      await entry.leave()
      expect(troubles).toEqual([expect.stringContaining('xr status and xr abort will not find this')])
    }
  })

  it('is not kept in a folder of somebody else', async () => {
    const folder = folderOf({ 'real/x': '' })
    symlinkSync(join(folder, 'real'), join(folder, 'link'))
    chmodSync(join(folder, 'real'), 0o777)
    const { registry, troubles } = bench(join(folder, 'link'))
    await (await registry.enter('op1', facts, () => undefined)).leave()
    expect(troubles).toEqual([expect.stringContaining('belongs to somebody else')])
  })
})
