import { BackendError, type CheckpointDevice, type DomId, type ReplicaDevice } from '@xen-replication/hypervisor'
import type { AnyObservedEvent } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'
import { count, judge, ops, protect, standing, type PairEnd, type PairOptions, type Side } from './pair.ts'

type See = NonNullable<PairOptions['see']>

/** Does something once so many checkpoints were acknowledged and both run again. */
const after = (epochs: number, what: (pair: Parameters<See>[2]) => void): See => {
  let done = false
  return (event, who, pair) => {
    if (done || who !== 'primary' || event.kind !== 'epoch.released' || event.data.epoch < epochs - 1) return
    done = true
    what(pair)
  }
}

interface ColoOptions extends PairOptions {
  readonly set?: Readonly<Record<string, number | boolean | string>>
}

const colo = ({ set, request, ...options }: ColoOptions = {}): Promise<PairEnd> =>
  protect({ guest: { kind: 'hvm' }, ...options, request: { strategy: 'colo', verb: 'colo', ...request, options: { interval: 60, ...set } } })

const numbersOf = ({ packets }: Side): readonly number[] => packets.map(({ number }) => number)
const moves = ({ seen }: Side, event: string): number => seen.filter((one) => one.kind === 'strategy.move' && one.data.event === event).length

/** Memory by pfn, but for the pages of rings, whose other ends are each host's own. */
const memoryOf = async ({ host }: Side): Promise<Map<number, string>> => {
  const [domain] = await host.list()
  return host.inspect(domain?.domId as DomId, (view) => {
    const pages = new Map<number, string>()
    for (const [start, length] of view.runs) for (let pfn = start; pfn < Math.min(start + length, 0xfeff0); pfn += 1) pages.set(pfn, Buffer.from(view.page(pfn) ?? []).toString('base64'))
    return pages
  })
}

describe('a guest in lock-step', () => {
  it.each(['primary', 'backup'] as const)('goes on at the backup when that is asked for on the %s, with every packet seen once and in order', async (asked) => {
    const end = await colo({ see: after(4, (pair) => pair[asked].ask('failover')), then: 'run' })
    expect(end).toMatchObject({ sentError: undefined, gotError: undefined, sent: { outcome: 'handed-over', guests: ['demo'] }, got: { guest: 'demo', kind: 'hvm' } })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([[], ['demo runs']])
    const seen = [...numbersOf(end.primary), ...numbersOf(end.backup)]
    expect(seen).toEqual(seen.map((_, at) => at + 1))
    expect(count(end.primary.seen, 'epoch.acknowledged')).toBeGreaterThanOrEqual(4)
  })

  it('is the same on both hosts after each checkpoint, whatever each has done since the last one', async () => {
    const compared: { readonly primary: Promise<Map<number, string>>; readonly backup: Promise<Map<number, string>> }[] = []
    const stop = after(6, ({ primary }) => primary.ask('abort'))
    const end = await colo({
      guest: { kind: 'hvm', workload: 'database', noiseEvery: 2 },
      see: (event, who, pair) => {
        if (who === 'backup' && event.kind === 'restore.checkpoint' && event.data.number > 0) compared.push({ primary: memoryOf(pair.primary), backup: memoryOf(pair.backup) })
        stop(event, who, pair)
      },
    })
    expect(compared.length).toBeGreaterThanOrEqual(5)
    for (const { primary, backup } of compared) {
      const [there, here] = [await backup, await primary]
      expect([...here.keys()].filter((pfn) => here.get(pfn) !== there.get(pfn))).toEqual([])
    }
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], []])
  })

  it('has what both have sent leave at once, without a checkpoint', async () => {
    const end = await colo({ set: { interval: 3_600_000 }, see: (event, who, { primary }) => {
      if (who === 'primary' && event.kind === 'epoch.released') setTimeout(() => primary.ask('abort'), 800)
    } })
    expect(count(end.primary.seen, 'epoch.acknowledged')).toBe(1)
    const since = end.primary.packets.filter(({ leftAt }) => leftAt > (end.primary.seen.find(({ kind }) => kind === 'epoch.released')?.at ?? Infinity))
    expect(since.length).toBeGreaterThan(5)
    expect(since.map(({ number }) => number)).toEqual(since.map((_, at) => (since[0]?.number ?? 0) + at))
  })

  it('takes a checkpoint when the two send different things, and then lets that of the primary leave', async () => {
    const end = await colo({ guest: { kind: 'hvm', noiseEvery: 3 }, set: { interval: 3_600_000 }, see: after(5, ({ primary }) => primary.ask('abort')) })
    expect(moves(end.primary, 'diverged')).toBeGreaterThanOrEqual(4)
    expect(moves(end.primary, 'due')).toBe(0)
    expect(numbersOf(end.primary)).toEqual(numbersOf(end.primary).map((_, at) => at + 1))
    expect(end.backup.packets).toEqual([])
  })

  it('has its output wait for checkpoints where nobody is to compare it', async () => {
    const end = await colo({ set: { 'no-compare': true }, see: after(4, ({ primary }) => primary.ask('failover')), then: 'run' })
    expect(end).toMatchObject({ sentError: undefined, gotError: undefined })
    expect(moves(end.primary, 'due')).toBeGreaterThanOrEqual(3)
    const seen = [...numbersOf(end.primary), ...numbersOf(end.backup)]
    expect(seen).toEqual(seen.map((_, at) => at + 1))
  })

  it('may be one of a group, whose members are suspended, compared and handed over together', async () => {
    const names = ['web', 'db']
    const end = await colo({ guest: { kind: 'pvh', noiseEvery: 4 }, names, see: after(4, ({ primary }) => primary.ask('failover')), then: 'run' })
    expect(end).toMatchObject({ sentError: undefined, gotError: undefined, sent: { outcome: 'handed-over', guests: names } })
    expect([await standing(end.primary), (await standing(end.backup)).toSorted()]).toEqual([[], ['db runs', 'web runs']])
  })

  it('stays paused at the backup where that was wanted', async () => {
    const end = await colo({ see: after(2, ({ primary }) => primary.ask('failover')), then: 'stay-paused' })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([[], ['demo paused']])
  })

  it('tells of each checkpoint how long the guest stood', async () => {
    const { primary } = await colo({ see: after(4, (pair) => pair.primary.ask('abort')) })
    const told = primary.seen.filter((event): event is AnyObservedEvent & { kind: 'epoch.staged' } => event.kind === 'epoch.staged')
    expect(told.slice(0, 4).map(({ data }) => data.epoch)).toEqual([0, 1, 2, 3])
    expect(told.every(({ data }) => data.pauseMs > 0 && data.pages > 0 && data.bytes > 4096)).toBe(true)
  })
})

describe('protection that is called off', () => {
  it('leaves the guest running on the primary, and nothing at the backup', async () => {
    const end = await colo({ see: after(3, ({ primary }) => primary.ask('abort')) })
    expect(end).toMatchObject({ sentError: { code: 'TOOL_INTERRUPTED' }, gotError: undefined, got: { released: true, guests: ['demo'] } })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], []])
  })

  it('does so too where it is the backup that gives up', async () => {
    const end = await colo({ see: after(3, ({ backup }) => backup.ask('abort')) })
    expect(end).toMatchObject({ sentError: { code: 'TOOL_UNPROTECTED' }, gotError: { code: 'TOOL_INTERRUPTED' } })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], []])
  })
})

describe('a link that breaks', () => {
  const parts = [0, 20_000, 150_000, 400_000, 900_000]

  it.each(parts.flatMap((there) => (['primary', 'secondary'] as const).map((winner) => [there, winner] as const)))('%i bytes after the first checkpoint: the guest runs where the arbiter has it, the %s', async (there, winner) => {
    const end = await colo({ guest: { kind: 'hvm', noiseEvery: 2 }, judge: judge(winner), break: { there: 1 + there }, then: 'run' })
    const states = [await standing(end.primary), await standing(end.backup)]
    expect(states).toEqual(winner === 'primary' ? [['demo runs'], []] : [[], ['demo runs']])
    expect(await ops(winner === 'primary' ? end.primary : end.backup)).toBeGreaterThanOrEqual(Math.max(0, ...end.primary.packets.map((packet) => packet.ops)))
  })

  it.each([1, 30, 100, 1000, 5000])('on the way back, after %i bytes: one of the two runs', async (back) => {
    const end = await colo({ judge: judge('first'), break: { back }, then: 'run' })
    expect([...(await standing(end.primary)), ...(await standing(end.backup))]).toEqual(['demo runs'])
  })

  it('and an arbiter that does not answer: it stands on both hosts until somebody says where it is to run', async () => {
    const end = await colo({ judge: judge('nobody'), break: { there: 100_000 }, see: (event, who, pair) => {
      if (event.kind === 'strategy.move' && event.data.to === 'standing') setTimeout(() => pair[who].ask(who === 'backup' ? 'failover' : 'abort'), 200)
    }, then: 'run' })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([[expect.stringMatching(/^demo (paused|suspend)$/)], ['demo runs']])
  })
})

describe('a host that cannot go on', () => {
  it.each([
    ['the backup cannot make the guest', { backup: 'openForRestore:1=fail' }],
    ['its guest does not suspend', { backup: 'suspend:2=timeout' }],
    ['its memory cannot be written', { backup: 'map:1=fail' }],
    ['a checkpoint cannot be put in', { backup: 'setHvmContext:3=fail' }],
    ['its dirty log fails', { backup: 'take:4=fail' }],
    ['its guest cannot go on', { backup: 'unpause:2=fail' }],
    ['the guest of the primary does not suspend', { primary: 'suspend:3=timeout' }],
    ['the dirty log of the primary fails', { primary: 'take:9=fail' }],
    ['the device model of the primary does not answer', { primary: 'model.state:3=fail' }],
    ['the backup cannot run it along', { backup: 'openShadow:1=fail' }],
    ['its cards cannot be tapped', { backup: 'tap.open:1=fail' }],
    ['what it sends cannot be read', { backup: 'tap.rest:3=fail' }],
    ['the cards of the primary cannot be tapped', { primary: 'tap.open:1=fail' }],
    ['what the primary sends cannot be read', { primary: 'tap.taken:3=fail' }],
    ['what the primary sends cannot leave', { primary: 'tap.send:4=fail' }],
    ['a disk of the primary fails', { primary: 'device.postsuspend:3=fail' }],
  ] as const)('%s: it runs on the primary, and nothing is left at the backup', async (_what, faults) => {
    const end = await colo({ faults, judge: judge('primary'), see: after(8, ({ primary }) => primary.ask('abort')) })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], []])
    expect(end.sentError).toMatchObject({ code: expect.not.stringMatching('TOOL_INTERRUPTED') as string })
    expect([end.primary.host.leaks(), end.backup.host.leaks()]).toEqual([[], []])
  })
})

describe('disks that something else copies, as QEMU does', () => {
  /** What each half is told, in one order. */
  const halves = (fails: (call: string) => boolean = () => false) => {
    const calls: string[] = []
    const note = (call: string): Promise<void> => {
      calls.push(call)
      return fails(call) ? Promise.reject(new BackendError('BACKEND_HOST', 'the two copies differ')) : Promise.resolve()
    }
    const primary: CheckpointDevice = {
      name: 'disks', kind: 'disk', standsUntil: 'stored', setup: () => note('p setup'), postsuspend: (epoch) => note(`p postsuspend ${epoch}`), preresume: (epoch) => note(`p preresume ${epoch}`),
      commit: () => Promise.resolve(), waiting: () => Promise.resolve(0), teardown: () => note('p teardown'),
    }
    const replica: ReplicaDevice = { name: 'disks', kind: 'disk', setup: () => note('s setup'), received: (epoch) => note(`s received ${epoch}`), store: (epoch) => note(`s store ${epoch}`), promote: (epoch) => note(`s promote ${epoch}`), teardown: () => note('s teardown') }
    return { calls, options: { request: { moreDevices: () => [primary] }, receive: { replicas: () => [replica] } } satisfies ColoOptions }
  }

  it('are asked whether they are well, and go on to the next checkpoint, while both guests stand; whoever takes over has them', async () => {
    const { calls, options } = halves()
    const end = await colo({ ...options, see: after(3, ({ primary }) => primary.ask('failover')), then: 'run' })
    expect(await standing(end.backup)).toEqual(['demo runs'])
    expect(calls.slice(0, 2).toSorted()).toEqual(['p setup', 's setup'])
    for (const epoch of [0, 1, 2]) {
      const order = [`p postsuspend ${epoch}`, `s received ${epoch}`, `s store ${epoch}`, `p preresume ${epoch}`].map((call) => calls.indexOf(call))
      expect(order, calls.join()).toEqual(order.toSorted((a, b) => a - b))
      expect(order[0]).toBeGreaterThan(0)
    }
    expect(calls.filter((call) => call.startsWith('s promote'))).toHaveLength(1)
  })

  it.each(['p postsuspend 2', 's received 2', 's store 2'])('that say at "%s" that their two copies differ end the protection: the guest runs on the primary', async (call) => {
    const { options } = halves((one) => one === call)
    const end = await colo({ ...options, judge: judge('primary'), see: after(8, ({ primary }) => primary.ask('abort')) })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], []])
    expect(end.sentError).toMatchObject({ code: expect.not.stringMatching('TOOL_INTERRUPTED') as string })
  })
})

describe('both sides on the wire of libxl', () => {
  const asXl = (quirk?: 'c64-surplus'): ColoOptions => ({ unsafe: true, request: { peer: 'xl', quirk }, receive: { peer: 'xl', stream: 'colo', quirk }, set: { 'no-compare': true }, then: 'run' })

  it.each([undefined, 'c64-surplus'] as const)('a guest in lock-step is handed over, quirk %s', async (quirk) => {
    const end = await colo({ ...asXl(quirk), see: after(4, ({ primary }) => primary.ask('failover')) })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([[], ['demo runs']])
    expect(moves(end.primary, 'svm-suspended')).toBeGreaterThanOrEqual(4)
  })

  it('one side that does not know of the other’s surplus: out of step, which is told; it does not go on as if nothing were', async () => {
    const end = await colo({ ...asXl(), receive: { peer: 'xl', stream: 'colo', quirk: 'c64-surplus' }, judge: undefined as never })
    expect(end.sentError).toMatchObject({ code: 'TOOL_UNPROTECTED', cause: { code: 'FMT_BACK_CHANNEL' } })
    expect(await standing(end.primary)).toEqual(['demo runs'])
  })

  it('protection that is called off leaves nothing there', async () => {
    const end = await colo({ ...asXl(), see: after(3, ({ primary }) => primary.ask('abort')) })
    expect(end.sentError).toMatchObject({ code: 'TOOL_INTERRUPTED' })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], []])
  })

  it('a broken link: each side goes on by itself, as xl does', async () => {
    const end = await colo({ ...asXl(), break: { there: 200_000 } })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], ['demo runs']])
  })
})

describe('what cannot be kept in lock-step', () => {
  it('is told before a guest is touched: output to be compared with what libxl’s wire does not bring', async () => {
    const end = await colo({ unsafe: true, request: { peer: 'xl' }, break: { from: 'greeting', there: 1 } })
    expect(end.sentError).toMatchObject({ code: 'REPL_OPTION' })
  })

  it('is told before a guest is touched: a PV guest', async () => {
    const end = await colo({ guest: { kind: 'pv' }, break: { from: 'greeting', there: 1 } })
    expect(end.sentError).toMatchObject({ code: 'BACKEND_UNSUPPORTED', message: expect.stringContaining('lock-step-pv') as string })
    expect(await standing(end.primary)).toEqual(['demo runs'])
  })

  it('is told before a guest is touched: nobody at the other end', async () => {
    const end = await protect({ guest: { kind: 'hvm' }, request: { strategy: 'colo', verb: 'colo', options: {}, url: undefined } })
    expect(end.sentError).toMatchObject({ code: 'REPL_OPTION' })
  })
})
