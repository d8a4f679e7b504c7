import { createMockHost, realClock, type MockHost } from '@xen-replication/backend-mock'
import { definePlugin, type AnyObservedEvent, type Plugin } from '@xen-replication/plugin-api'
import { remusPlugin } from '@xen-replication/remus'
import type { LeftNote, LeftNotes, Registry, Toolstack } from '@xen-replication/toolstack'
import { transports } from '@xen-replication/transports'
import { describe, expect, it } from 'vitest'
import { judge, type Judge } from './pair.ts'

const { compose, noRegistry, systemClock, T } = await import('@xen-replication/toolstack')

const never = new AbortController().signal
const GONE_PID = 4711

interface Left {
  readonly host: MockHost
  readonly stack: Toolstack
  readonly dropped: LeftNote[]
  readonly seen: AnyObservedEvent[]
  ask(what: 'abort' | 'failover'): void
  standing(): Promise<readonly string[]>
}

/** A host on which process 4711 died while it protected `names`. */
async function left(who: Judge | (() => Judge), note: Partial<LeftNote> = {}, names: readonly string[] = ['demo']): Promise<Left> {
  const host = createMockHost({ clock: realClock() })
  for (const name of names) await host.createGuest({ name, kind: 'pvh', memoryBytes: 4 << 20 })
  const guests = (await host.list()).map(({ name, domId, uuid }) => ({ name, domId, uuid }))
  const one: LeftNote = { id: 'dead', pid: GONE_PID, process: 'gone', verb: 'remus', guests, session: 's', token: undefined, arbiter: 'judge:test', unsafe: false, ...note }
  const dropped: LeftNote[] = []
  const notes: LeftNotes = { all: () => Promise.resolve(dropped.includes(one) ? [] : [one]), take: () => true, drop: (it) => void dropped.push(it) }
  const asks: Record<'abort' | 'failover', () => void> = { abort: () => undefined, failover: () => undefined }
  const registry: Registry = { enter: (id, facts, abort, wish) => ((asks.abort = () => abort('a test')), (asks.failover = () => wish?.('failover')), noRegistry.enter(id, facts, abort, wish)) }
  const backend: Plugin = definePlugin({ name: 'left', api: 1, contribute: (to) => to.backend('mock', { summary: 'a host in memory', open: () => Promise.resolve(host) }) })
  const seen: AnyObservedEvent[] = []
  const stack = await compose({ backend: 'mock', settings: {}, plugins: [backend, transports(), remusPlugin, judge(who).plugin], observers: [{ observe: (event) => void seen.push(event), close: () => Promise.resolve() }], clock: systemClock, registry, notes, signal: never })
  const standing = async (): Promise<readonly string[]> => (await host.list()).map(({ name, paused, shutdown }) => `${name} ${shutdown ?? (paused ? 'paused' : 'runs')}`)
  return { host, stack, dropped, seen, ask: (what) => asks[what](), standing }
}

const standIn = async ({ stack }: Left): Promise<unknown> => (await stack.get(T.standIn))({ pid: GONE_PID }, never)
const again = async ({ stack }: Left, ...doms: readonly string[]): Promise<unknown> => (await stack.get(T.replicate))({ verb: 'remus', strategy: 'remus', options: {}, doms: doms.length === 0 ? ['demo'] : doms, url: 'unix:/nobody/listens', arbiter: 'judge:test' }, never)

describe('a guest whose xr died while it protected it', () => {
  it.each([['primary', 'runs', ['demo runs']], ['secondary', 'gone', []]] as const)('stands until the arbiter has said who may run it: the %s, so that it %s', async (who, fate, after) => {
    const here = await left(who)
    const settling = standIn(here)
    await expect.poll(() => here.standing()).toEqual(['demo paused'])
    expect(await settling).toEqual({ guests: ['demo'], fate })
    expect(await here.standing()).toEqual(after)
  })

  it('goes on from where it was suspended in the middle of a checkpoint', async () => {
    const here = await left('primary')
    const [demo] = await here.host.list()
    if (demo !== undefined) await here.host.lifecycle(demo.domId).suspend()
    expect(await here.standing()).toEqual(['demo suspend'])
    expect(await standIn(here)).toMatchObject({ fate: 'runs' })
    expect(await here.standing()).toEqual(['demo runs'])
  })

  it.each([['failover', 'runs', ['demo runs']], ['abort', 'paused', ['demo paused']]] as const)('stands for as long as nobody can say, until an operator decides: xr %s, so that it %s', async (word, fate, after) => {
    const here = await left('nobody')
    const settling = standIn(here)
    await expect.poll(() => here.seen.some(({ kind, data }) => kind === 'strategy.move' && (data as { event: string }).event === 'unknown'), { timeout: 20_000 }).toBe(true)
    expect(await here.standing()).toEqual(['demo paused'])
    here.ask(word)
    expect(await settling).toMatchObject({ fate })
    expect(await here.standing()).toEqual(after)
  })

  it('goes on as soon as an arbiter that was away is back', async () => {
    let back = false
    const here = await left(() => (back ? 'primary' : 'nobody'))
    const settling = standIn(here)
    await expect.poll(() => here.seen.some(({ kind }) => kind === 'arbiter.answer'), { timeout: 20_000 }).toBe(true)
    back = true
    expect(await settling).toMatchObject({ fate: 'runs' })
  })

  it('is not destroyed when it was given away and the other side has won: it may not have been able to take it', async () => {
    const here = await left('secondary', { given: true })
    const settling = standIn(here)
    await expect.poll(() => here.seen.some(({ kind }) => kind === 'arbiter.answer'), { timeout: 20_000 }).toBe(true)
    expect(await here.standing()).toEqual(['demo paused'])
    here.ask('abort')
    expect(await settling).toMatchObject({ fate: 'paused' })
    expect(await here.standing()).toEqual(['demo paused'])
  })

  it('is not given away by itself where there is no arbiter', async () => {
    const here = await left('nobody', { arbiter: undefined, given: true })
    const settling = standIn(here)
    await expect.poll(() => here.seen.some(({ kind, data }) => kind === 'strategy.move' && (data as { event: string }).event === 'unknown'), { timeout: 20_000 }).toBe(true)
    here.ask('abort')
    expect(await settling).toMatchObject({ fate: 'paused' })
  })

  it('is left alone when it is another one by the same name', async () => {
    const here = await left('secondary', { guests: [{ name: 'demo', domId: 1, uuid: 'another' }] })
    expect(await standIn(here)).toMatchObject({ fate: 'gone' })
    expect(await here.standing()).toEqual(['demo runs'])
  })

  it('is decided over together with those of its group', async () => {
    const here = await left('secondary', {}, ['web', 'db'])
    expect(await standIn(here)).toMatchObject({ guests: ['web', 'db'], fate: 'gone' })
    expect(await here.standing()).toEqual([])
  })
})

describe('protecting a guest anew', () => {
  it('whose copy the other side has taken over meanwhile is refused, and the stale one is destroyed', async () => {
    const here = await left('secondary')
    await expect(again(here)).rejects.toMatchObject({ code: 'TOOL_DENIED', message: 'process 4711 died while it protected demo, and the other side has won it since; it is destroyed here' })
    expect([await here.standing(), here.dropped.length]).toEqual([[], 1])
  })

  it('that nobody can say of who may run it is refused, and it stands', async () => {
    const here = await left('nobody')
    await expect(again(here)).rejects.toMatchObject({ code: 'TOOL_DENIED', message: expect.stringContaining('nobody can say whether the other side runs it') as string })
    expect([await here.standing(), here.dropped]).toEqual([['demo paused'], []])
    await expect(again(here)).rejects.toMatchObject({ code: 'TOOL_DENIED' }) // however often it is typed
  })

  it('that this side may run goes on to the link, and it runs', async () => {
    const here = await left('primary')
    await expect(again(here)).rejects.toMatchObject({ code: expect.stringMatching(/^LINK_/) as string })
    expect([await here.standing(), here.dropped.length]).toEqual([['demo runs'], 1])
  })

  it('that another process protects is refused, with its number', async () => {
    const here = await left('primary', { process: 'lives' })
    await expect(again(here)).rejects.toMatchObject({ code: 'TOOL_GUEST', message: 'process 4711 protects demo already' })
  })

  it('that is named twice is refused', async () => {
    const here = await left('primary', { guests: [] })
    await expect(again(here, 'demo', '1')).rejects.toMatchObject({ code: 'TOOL_GUEST', message: 'demo is named twice' })
  })
})
