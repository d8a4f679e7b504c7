import { describe, expect, it } from 'vitest'
import { judge, ops, protect, standing, type PairEnd } from './pair.ts'

const names = ['web', 'db']

/** Packets of both guests that somebody outside has seen, as operations of the guest that sent them. */
const seen = ({ primary }: PairEnd): number => Math.max(0, ...primary.packets.map((packet) => packet.ops))

describe('one guest of a group', () => {
  it.each(['suspend:8=crash', 'suspend:9=crash'])('crashes: protection ends for all of them, and the others run on (%s)', async (fault) => {
    const end = await protect({ names, faults: { primary: fault } })
    const here = (await standing(end.primary)).toSorted()
    expect(here.filter((guest) => guest.endsWith(' crash'))).toHaveLength(1)
    expect(here.filter((guest) => guest.endsWith(' runs'))).toHaveLength(1)
    expect(await standing(end.backup)).toEqual([])
    expect(end.sentError).toMatchObject({ message: expect.stringContaining('has ended: crash') as string })
  })

  it('cannot be completed at the backup: none of them runs there before all of them can', async () => {
    const end = await protect({ names, judge: judge('secondary'), break: { there: 1_000_000 }, faults: { backup: 'complete:2=fail' }, then: 'run' })
    expect((await standing(end.backup)).filter((guest) => guest.endsWith(' runs'))).toEqual([])
  })
})

describe('the primary of a group dies', () => {
  it('all of them go on at the backup, none behind what was seen of it', async () => {
    const end = await protect({ names, judge: judge('secondary'), break: { there: 1_500_000 }, then: 'run' })
    expect((await standing(end.backup)).toSorted()).toEqual(['db runs', 'web runs'])
    expect(await standing(end.primary)).toEqual([])
    expect(Math.max(await ops(end.backup, 'web'), await ops(end.backup, 'db'))).toBeGreaterThanOrEqual(seen(end))
  })
})
