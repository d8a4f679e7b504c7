import { describe, expect, it } from 'vitest'
import { arp, packet, tcp, udp } from './frames.ts'
import { pair } from './pair.ts'

describe('what waits', () => {
  it('asks for a checkpoint when its counterpart has not come within 3 s, whichever side has sent it', () => {
    for (const side of ['primary', 'secondary'] as const) {
      for (const frame of [udp({ text: 'x' }), tcp({ seq: 1, ack: 1, data: 'x' })]) {
        const one = pair()[side](frame, 1000)
        expect(one.comparer.due).toBe(4000)
        expect(one.look(3999).diverged).toBeUndefined()
        expect([one.look(4000).diverged, one.comparer.due]).toEqual(['late', undefined])
      }
    }
  })

  it('is looked at once a second at most, so it is found late by no more than that', () => {
    const one = pair().primary(udp({ text: '1' }), 0).primary(udp({ port: 7, text: '2' }), 100).secondary(udp({ text: '1' }), 2000)
    expect(one.look(3000).diverged).toBeUndefined()
    expect(one.comparer.due).toBe(4000)
    expect(one.look(4000).diverged).toBe('late')
  })

  it('nothing is due while nothing waits', () => {
    const one = pair().primary(udp({ text: '1' }), 0).secondary(udp({ text: '1' }), 10)
    expect(one.comparer.due).toBeUndefined()
    expect(one.look(99_999).diverged).toBeUndefined()
    expect(one.primary(udp({ text: '2' }), 100_000).comparer.due).toBe(103_000)
  })

  it('stays where it is from a divergence to the checkpoint, and then leaves in the order in which it came', () => {
    const frames = [udp({ text: 'A' }), arp(), udp({ port: 9, text: 'C' }), tcp({ seq: 1, ack: 1, data: 'D' })]
    const one = pair().secondary(udp({ text: 'other' })).primary(frames[0] as Uint8Array)
    expect(one.diverged).toBe('differs')
    for (const frame of frames.slice(1)) expect(one.primary(frame).secondary(frame).left).toEqual([])
    expect([one.comparer.waiting, one.diverged]).toEqual([4, 'differs'])
    expect([one.checkpoint().left, one.comparer.waiting, one.comparer.counts]).toEqual([frames, 0, { equal: 0, covered: 4, uncompared: 0, lost: 0 }])
  })

  it('of the secondary is forgotten at a checkpoint', () => {
    const one = pair().secondary(udp({ text: 'x' })).checkpoint().primary(udp({ text: 'x' }))
    expect([one.left, one.diverged]).toEqual([[], undefined])
  })

  it('leaves when the secondary is gone, as does all that comes then', () => {
    const one = pair().primary(udp({ text: 'x' }))
    expect(one.comparer.failover()).toEqual([packet(udp({ text: 'x' }))])
    expect(one.primary(udp({ text: 'y' })).secondary(udp({ text: 'z' })).left).toEqual([udp({ text: 'y' })])
    expect([one.comparer.waiting, one.comparer.due]).toEqual([0, undefined])
  })

  it('asks for a checkpoint when too much of one flow waits', () => {
    for (const side of ['primary', 'secondary'] as const) {
      const one = pair({ maxPackets: 3 })
      for (let n = 0; n < 3; n += 1) expect(one[side](udp({ text: `${n}` })).diverged).toBeUndefined()
      expect(one[side](udp({ text: '3' })).diverged).toBe('full')
      expect(one.checkpoint().left.length).toBe(side === 'primary' ? 4 : 0)
    }
  })

  it('asks for a checkpoint when there are more conversations than are remembered, and forgets those that are quiet first', () => {
    const one = pair({ maxFlows: 2 })
    for (let port = 0; port < 9; port += 1) one.primary(udp({ port })).secondary(udp({ port }))
    expect([one.left.length, one.diverged]).toEqual([9, undefined])
    for (let port = 0; port < 2; port += 1) expect(one.primary(udp({ port })).diverged).toBeUndefined()
    expect(one.primary(udp({ port: 2 })).diverged).toBe('full')
    expect(one.checkpoint().left.slice(9)).toEqual([0, 1, 2].map((port) => udp({ port })))
  })

  it('never takes more memory than it may: what does not fit is lost as on a full wire, and told', () => {
    const one = pair({ maxBytes: 2000 })
    for (let n = 0; n < 100; n += 1) one.primary(udp({ port: n })).secondary(udp({ port: n + 1000 }))
    expect(one.diverged).toBe('full')
    const { lost } = one.comparer.counts
    expect([lost + one.comparer.waiting, one.comparer.waiting < 8]).toEqual([100, true])
    expect(one.checkpoint().left.length).toBe(100 - lost)
  })
})
