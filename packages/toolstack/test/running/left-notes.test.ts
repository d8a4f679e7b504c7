import { createRegistry, notesIn } from '@xen-replication/toolstack'
import type { AnyObservedEvent } from '@xen-replication/plugin-api'
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { folderOf } from '../scratch.ts'

const guests = [{ name: 'web', domId: 3, uuid: 'u-1' }, { name: 'db', domId: 4, uuid: 'u-2' }]
const paired = { verb: 'remus', guests, session: 's1', token: '7', arbiter: 'file:/shared', unsafe: false }
const event = (kind: string, data: object): AnyObservedEvent => ({ kind, at: 0, operation: 'op1', data }) as AnyObservedEvent

async function protecting() {
  const runDir = join(folderOf(), 'run')
  const entry = await createRegistry(runDir, () => 0, () => undefined).enter('op1', { verb: 'remus', guest: 'web db', url: undefined }, () => undefined)
  entry.observe(event('replication.paired', paired))
  return { runDir, entry, notes: notesIn(runDir) }
}

describe('guests that a process protects', () => {
  it('are noted for as long as it does', async () => {
    const { runDir, entry, notes } = await protecting()
    expect(await notes.all()).toEqual([{ format: 'xr-protects', version: 1, pid: process.pid, id: 'op1', process: 'lives', ...paired }])
    expect(statSync(join(runDir, 'op1.protects')).mode & 0o777).toBe(0o600)
    await entry.leave()
    expect([await notes.all(), readdirSync(runDir)]).toEqual([[], []])
  })

  it('are found as left when nobody answers for them any more, and only one other takes them over', async () => {
    const { runDir, entry, notes } = await protecting()
    rmSync(join(runDir, 'op1.sock')) // as a reboot of the process would leave it
    const [left] = await notes.all()
    expect(left).toMatchObject({ process: 'gone', pid: process.pid, session: 's1' })
    if (left === undefined) return
    expect([notes.take(left, 'op2'), notes.take(left, 'op3')]).toEqual([true, false])
    expect(await notes.all()).toMatchObject([{ id: 'op2', process: 'gone' }])
    notes.drop({ ...left, id: 'op2' })
    expect(await notes.all()).toEqual([])
    await entry.leave()
  })

  it('are noted as given away before the peer is told so', async () => {
    const { entry, notes } = await protecting()
    entry.observe(event('strategy.move', { role: 'primary', from: 'sent', event: 'stored', to: 'waiting' }))
    expect(await notes.all()).toMatchObject([{ session: 's1' }])
    expect((await notes.all())[0]?.given).toBeUndefined()
    entry.observe(event('strategy.move', { role: 'primary', from: 'handing', event: 'stored', to: 'handed' }))
    expect(await notes.all()).toMatchObject([{ session: 's1', given: true }])
    await entry.leave()
  })

  it.each([['half a line', '{"format":"xr-protects","vers'], ['something else', '{"format":"other","version":1}'], ['nothing', ''], ['no guests', JSON.stringify({ format: 'xr-protects', version: 1, pid: 1, session: 's', guests: [] })]])('a note that is damaged is passed over: %s', async (_what, text) => {
    const runDir = folderOf()
    writeFileSync(join(runDir, 'x.protects'), text)
    expect(await notesIn(runDir).all()).toEqual([])
  })

  it('are none where nobody has begun anything yet', async () => expect(await notesIn(join(folderOf(), 'no')).all()).toEqual([]))
})
