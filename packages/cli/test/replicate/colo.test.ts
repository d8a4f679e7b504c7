import type { AnyObservedEvent } from '@xen-replication/plugin-api'
import { describe, expect, it } from 'vitest'
import { count, judge, ops, protect, standing, type PairOptions, type Side } from './pair.ts'

const guest = { kind: 'hvm', workload: 'uniform', rate: 5000 } as const

/** Does something once so many checkpoints were acknowledged. */
const after = (epochs: number, what: (pair: { readonly primary: Side; readonly backup: Side }) => void): PairOptions['see'] => {
  let done = false
  return (event: AnyObservedEvent, who, pair) => {
    if (done || who !== 'primary' || event.kind !== 'epoch.released' || event.data.epoch < epochs - 1) return
    done = true
    what(pair)
  }
}

const colo = (options: Omit<PairOptions, 'request'> & { readonly set?: Readonly<Record<string, number | boolean | string>> } = {}): ReturnType<typeof protect> =>
  protect({ guest, ...options, request: { strategy: 'colo', verb: 'colo', options: { interval: 60, ...options.set } } })

const numbersOf = ({ packets }: Side): readonly number[] => packets.map(({ number }) => number)

describe('a guest in lock-step', () => {
  it('goes on where its operator wants it, with every packet seen once and in order', async () => {
    const end = await colo({ see: after(4, ({ primary }) => primary.ask('failover')), then: 'run' })
    expect([end.sentError, end.gotError]).toEqual([undefined, undefined])
    expect(end.sent).toMatchObject({ outcome: 'handed-over' })
    expect(await standing(end.primary)).toEqual([])
    expect(await standing(end.backup)).toEqual(['demo runs'])
    const seen = [...numbersOf(end.primary), ...numbersOf(end.backup)]
    expect(seen).toEqual(seen.map((_, at) => at + 1))
    expect(await ops(end.backup)).toBeGreaterThan(0)
    expect(count(end.primary.seen, 'epoch.acknowledged')).toBeGreaterThanOrEqual(4)
  })
})
