import { describe, expect, it } from 'vitest'
import { count, judge, ops, protect, standing, type PairOptions } from './pair.ts'

/** Something that happens once so many epochs are acknowledged. */
const after = (epochs: number, what: (pair: Parameters<NonNullable<PairOptions['see']>>[2]) => void): NonNullable<PairOptions['see']> => (event, who, pair) => {
  if (who === 'primary' && event.kind === 'epoch.acknowledged' && event.data.epoch === epochs - 1) what(pair)
}

describe('a guest that is protected', () => {
  it.each([
    ['a PV guest', { kind: 'pv', width: 8 }],
    ['a 32-bit PV guest', { kind: 'pv', width: 4 }],
    ['a PVH guest', { kind: 'pvh' }],
    ['an HVM guest', { kind: 'hvm' }],
  ] as const)('moves to its backup at `xr failover` on the primary, and nothing is lost: %s', async (_what, guest) => {
    const end = await protect({ guest, see: after(5, ({ primary }) => primary.ask('failover')), then: 'run' })
    expect(end).toMatchObject({ sentError: undefined, gotError: undefined, sent: { outcome: 'handed-over', guests: ['demo'] }, got: { guest: 'demo', kind: guest.kind } })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([[], ['demo runs']])
    expect(await ops(end.backup)).toBeGreaterThanOrEqual(Math.max(...end.primary.packets.map((packet) => packet.ops)))
    expect(end.sent?.epochs).toBeGreaterThan(5)
  })

  it('moves there as well when that is asked for on the backup', async () => {
    const end = await protect({ see: after(3, ({ backup }) => backup.ask('failover')), then: 'run' })
    expect(end).toMatchObject({ sentError: undefined, gotError: undefined, sent: { outcome: 'handed-over' } })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([[], ['demo runs']])
  })

  it('runs on here when protection is called off on the primary, and nothing is left there', async () => {
    const end = await protect({ see: after(3, ({ primary }) => primary.ask('abort')) })
    expect(end).toMatchObject({ sentError: { code: 'TOOL_INTERRUPTED' }, gotError: undefined, got: { released: true, guests: ['demo'] } })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], []])
  })

  it('runs on here when the backup is called off, and both say so', async () => {
    const end = await protect({ see: after(3, ({ backup }) => backup.ask('abort')) })
    expect(end).toMatchObject({ sentError: { code: 'TOOL_UNPROTECTED' }, gotError: { code: 'TOOL_INTERRUPTED' } })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], []])
  })

  it.each(['primary', 'backup'] as const)('runs on here when the %s is called off before there is a whole copy', async (who) => {
    const end = await protect({
      guest: { kind: 'hvm', memoryBytes: 96 * 2 ** 20, fill: 0.8 },
      see: (event, side, pair) => {
        if (side === 'primary' && event.kind === 'save.pages' && event.data.sent >= 4096) pair[who].ask('abort')
      },
    })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], []])
    expect(who === 'primary' ? end.sentError : end.gotError).toMatchObject({ code: 'TOOL_INTERRUPTED' })
    expect(count(end.primary.seen, 'epoch.acknowledged')).toBe(0)
  })

  it('is still here, paused, when it was given away, the backup could not build it, and the link broke before that was said', async () => {
    const end = await protect({
      judge: judge('first'),
      faults: { backup: 'complete:1=fail' },
      see: (event, who, pair) => {
        after(3, ({ primary }) => primary.ask('failover'))(event, who, pair)
        if (who === 'backup' && event.kind === 'strategy.move' && event.data.to === 'taking') pair.cut()
      },
    })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo suspend'], []])
    expect(end.sentError).toMatchObject({ code: 'TOOL_DENIED' })
    expect(end.primary.seen.filter(({ kind }) => kind === 'strategy.move').at(-1)?.data).toMatchObject({ to: 'parked' })
  })

  it('tells nobody anything any more once it was granted to another pair', async () => {
    let latest = 4n
    let acknowledged = 0
    const end = await protect({
      judge: judge('nobody', false, () => latest),
      guest: { kind: 'pvh', rate: 20_000 },
      see: (event, who, { primary, backup }) => {
        if (who === 'primary' && event.kind === 'epoch.acknowledged' && (acknowledged += 1) === 4) latest = 5n
        if (who === 'primary' && event.kind === 'strategy.move' && event.data.to === 'standing') primary.ask('abort')
        if (who === 'backup' && event.kind === 'strategy.move' && event.data.to === 'standing') backup.ask('abort')
      },
      request: { failureMs: 200, heartbeatMs: 50 },
    })
    expect(end.sentError).toMatchObject({ code: 'TOOL_DENIED', cause: { message: expect.stringContaining('token 5 was granted to another pair') as string } })
    expect(await standing(end.primary)).toEqual(['demo paused'])
  })

  it('is not protected by a backup whose arbiter has granted it to somebody since', async () => {
    let asked = 0
    const end = await protect({ judge: judge('first', false, () => BigInt((asked += 1))) })
    expect(end).toMatchObject({ gotError: { code: 'TOOL_STALE' }, sentError: { code: 'SESSION_PEER_ABORTED' } })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], []])
  })

  it('runs at the backup even where its name cannot be given to it', async () => {
    const end = await protect({ then: 'run', faults: { backup: 'rename:1=fail' }, see: after(3, ({ primary }) => primary.ask('failover')) })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([[], ['demo--incoming runs']])
    expect(count(end.backup.seen, 'save.trouble')).toBe(1)
  })

  it('tells of each epoch how long the guest stood and how long it took', async () => {
    const { primary } = await protect({ see: after(4, (pair) => pair.primary.ask('abort')) })
    const [staged, stored, released] = (['epoch.staged', 'epoch.acknowledged', 'epoch.released'] as const).map((kind) => primary.seen.filter((event) => event.kind === kind))
    expect(staged?.slice(0, 4).map(({ data }) => data)).toEqual([0, 1, 2, 3].map((epoch) => ({ epoch, pages: expect.any(Number) as number, bytes: expect.any(Number) as number, pauseMs: expect.any(Number) as number })))
    expect(stored?.length).toBeGreaterThanOrEqual(4)
    expect(released?.[0]?.data).toMatchObject({ epoch: 0 })
    const first = stored?.[0]?.data as { readonly latencyMs: number }
    expect((released?.[0]?.data as { readonly heldMs: number }).heldMs, 'output is held from the first checkpoint on, not while memory is copied').toBeLessThan(first.latencyMs + 1000)
  })
})

describe('guests of a group', () => {
  it('are suspended, acknowledged and handed over together', async () => {
    const names = ['web', 'db', 'mail']
    const end = await protect({ names, see: after(4, ({ primary }) => primary.ask('failover')), then: 'run' })
    expect(end).toMatchObject({ sentError: undefined, gotError: undefined, sent: { outcome: 'handed-over', guests: names }, got: { replica: { guests: names } } })
    expect([await standing(end.primary), (await standing(end.backup)).toSorted()]).toEqual([[], ['db runs', 'mail runs', 'web runs']])
  })

  it('are all of one epoch when the link is cut anywhere', { timeout: 180_000 }, async () => {
    const names = ['web', 'db']
    for (let part = 0; part < 4; part += 1) {
      const end = await protect({ names, judge: judge('secondary'), break: { there: 1 + part * 250_000 } })
      const stored = end.backup.seen.filter(({ kind }) => kind === 'restore.checkpoint').map(({ data }) => (data as { number: number }).number)
      const last = Math.max(...stored)
      expect(stored.filter((number) => number === last), `cut ${part}`).toHaveLength(2)
      expect((await standing(end.backup)).toSorted()).toEqual(['db paused', 'web paused'])
    }
  })
})
