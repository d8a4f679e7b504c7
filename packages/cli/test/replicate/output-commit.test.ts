import { describe, expect, it } from 'vitest'
import { judge, ops, protect, standing, type Judge } from './pair.ts'

/** Byte counts, after epoch 0 was acknowledged, at which the link breaks: within epochs, between them, and in the middle of frames. */
const cuts = [{ there: 1 }, { there: 20 }, { there: 30_000 }, { there: 300_017 }, { there: 1_000_003 }, { back: 1 }, { back: 40 }, { back: 333 }, { back: 1001 }]

describe('what a guest sends', () => {
  it.each(cuts)('is never seen outside before its epoch is acknowledged, when the link breaks after %o and the backup takes over', async (where) => {
    const end = await protect({ judge: judge('secondary'), break: where })
    expect(end).toMatchObject({ sentError: { code: 'TOOL_DENIED' }, gotError: undefined, got: { guest: 'demo' } })
    const seen = end.primary.packets.map((packet) => packet.ops)
    expect(seen.length, 'packets that were seen at all').toBeGreaterThan(0)
    expect(Math.max(...seen), 'the last packet that was seen').toBeLessThanOrEqual(await ops(end.backup))
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([[], ['demo paused']])
  })

  it.each(cuts)('is seen without a gap when the primary goes on after %o', async (where) => {
    const end = await protect({ judge: judge('primary'), break: where })
    expect(end).toMatchObject({ sentError: { code: 'TOOL_UNPROTECTED' }, gotError: { code: 'TOOL_DENIED' } })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], []])
    const numbers = end.primary.packets.map(({ number }) => number)
    expect(numbers).toEqual(Array.from(numbers, (_, i) => i + (numbers[0] as number)))
  })

  it('has not left when its epoch is acknowledged, and leaves then', async () => {
    const ends: number[] = []
    const early: number[] = []
    await protect({
      see: (event, who, { primary }) => {
        if (who !== 'primary') return
        if (event.kind === 'epoch.staged') ends.push(performance.timeOrigin + event.at)
        const until = event.kind === 'epoch.acknowledged' ? ends.at(-2) : event.kind === 'epoch.released' ? ends.at(-1) : undefined
        if (until !== undefined) early.push(...primary.packets.filter((packet) => packet.sentAt > until).map(({ number }) => number))
        if (event.kind === 'epoch.released' && event.data.epoch === 6) primary.ask('abort')
      },
    })
    expect(ends.length).toBeGreaterThan(6)
    expect(early).toEqual([])
  })

  it('is held back by neither kind of device where that is asked for', async () => {
    const seenAheadOfTheBackup = async (): Promise<boolean> => {
      const end = await protect({
        request: { options: { interval: 20, 'no-netbuf': true, 'no-diskbuf': true, unsafe: true } }, judge: judge('secondary'), break: { back: 1 },
      })
      return Math.max(...end.primary.packets.map((packet) => packet.ops)) > (await ops(end.backup))
    }
    let seen = false
    for (let tries = 0; tries < 20 && !seen; tries++) seen = await seenAheadOfTheBackup() // packets are some way apart: the link may break between two of them
    expect(seen).toBe(true)
  })
})

describe('two sides that lose each other', () => {
  it.each<[Judge | 'none' | 'unsafe', readonly string[], readonly string[], object]>([
    ['first', [], [], {}],
    ['none', ['demo runs'], [], { sentError: { code: 'TOOL_UNPROTECTED' } }],
    ['unsafe', ['demo runs'], ['demo paused'], { sentError: { code: 'TOOL_UNPROTECTED' }, gotError: undefined }],
  ])('with the arbiter: %s', async (who, here, there, errors) => {
    const choice = who === 'none' ? {} : who === 'unsafe' ? { unsafe: true, request: { unsafe: true } } : { judge: judge(who) }
    const end = await protect({
      ...choice, break: { there: 100_000 },
      see: (event, side, pair) => {
        if (who === 'none' && side === 'backup' && event.kind === 'strategy.move' && event.data.to === 'standing') pair.backup.ask('abort')
      },
    })
    expect(end).toMatchObject(errors)
    const both = [await standing(end.primary), await standing(end.backup)]
    if (who === 'first') expect(both.flat()).toHaveLength(1)
    else expect(both).toEqual([here, there])
  })

  it('run it nowhere while nobody answers; the operator has the last word, on either side', async () => {
    for (const winner of ['primary', 'backup'] as const) {
      const end = await protect({
        judge: judge('nobody'), break: { there: 50_000 }, then: 'run',
        see: (event, side, pair) => {
          if (event.kind === 'strategy.move' && event.data.to === 'standing') pair[side].ask(side === winner ? 'failover' : 'abort')
        },
      })
      const runs = ['demo runs']
      expect([await standing(end.primary), await standing(end.backup)]).toEqual(winner === 'primary' ? [runs, []] : [['demo paused'], runs])
    }
  })

  it('go on as soon as the arbiter is there again', async () => {
    let asked = 0
    const end = await protect({ judge: judge(() => ((asked += 1) > 4 ? 'secondary' : 'nobody')), break: { there: 50_000 }, then: 'run' })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([[], ['demo runs']])
    expect(end).toMatchObject({ sentError: { code: 'TOOL_DENIED' } })
  })

  it('do not run it with a grant that does not hold any more', async () => {
    const end = await protect({
      judge: judge('secondary', true), break: { there: 50_000 }, then: 'run',
      see: (event, side, pair) => {
        if (side === 'backup' && event.kind === 'strategy.move' && event.data.event === 'fenced') pair.backup.ask('abort')
      },
    })
    expect(end.backup.seen.some((event) => event.kind === 'strategy.move' && event.data.event === 'fenced')).toBe(true)
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([[], []])
  })

  it('are not paired when one has an arbiter and the other has none', async () => {
    const end = await protect({ request: { unsafe: true } })
    expect(end).toMatchObject({ sentError: { code: 'SESSION_PEER_ABORTED' }, gotError: { code: 'TOOL_ARBITER' } })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], []])
  })
})

describe('a link that breaks before the backup has a whole copy', () => {
  it.each([1, 100_000, 500_000])('after %i bytes: the guest runs on, whoever would win, and nobody is asked', async (there) => {
    const arbiter = judge('secondary')
    const end = await protect({ judge: arbiter, break: { there, from: 'greeting' } })
    expect(end).toMatchObject({ sentError: { code: 'TOOL_UNPROTECTED' }, gotError: { code: 'LINK_LOST' } })
    expect([await standing(end.primary), await standing(end.backup), arbiter.claims]).toEqual([['demo runs'], [], []])
  })
})

describe('a host that fails while a guest is protected', () => {
  it('the backup, while it takes the guest over: the guest goes back and runs on here', async () => {
    const end = await protect({
      judge: judge('secondary'), faults: { backup: 'complete:1=fail' },
      see: (event, who, { primary }) => {
        if (who === 'primary' && event.kind === 'epoch.acknowledged' && event.data.epoch === 3) primary.ask('failover')
      },
    })
    expect(end).toMatchObject({ sentError: { code: 'TOOL_UNPROTECTED' }, gotError: { code: 'BACKEND_HOST' } })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], []])
  })

  it('the backup, while it puts a checkpoint in: the guest runs on here', async () => {
    const end = await protect({ judge: judge('secondary'), faults: { backup: 'map:40+=fail' } })
    expect(end).toMatchObject({ sentError: { code: 'TOOL_UNPROTECTED' }, gotError: { code: 'BACKEND_MAP' } })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], []])
  })

  it.each([
    ['the suspend of the guest', { primary: 'suspend:4=fail' }],
    ['the device that holds output back', { primary: 'device.postsuspend:5=fail' }],
  ])('%s: the guest runs on here and nothing is left there', async (_what, faults) => {
    const end = await protect({ faults })
    expect(end.sentError).toBeDefined()
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], []])
    expect(end.got).toMatchObject({ released: true })
  })
})
