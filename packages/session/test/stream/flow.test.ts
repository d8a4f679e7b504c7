import { describe, expect, it } from 'vitest'
import { Flow, RESEND_LEAST } from '../../src/stream/flow.ts'

const MIB = 2 ** 20
const limits = { window: 8 * MIB, batch: MIB, resumable: true }

describe('what may be under way', () => {
  it('is 1 % of what was sent, while nobody knows how long the stream is', () => {
    const flow = new Flow(limits)
    expect([flow.admits(RESEND_LEAST, 0), flow.admits(RESEND_LEAST + 1, 0)]).toEqual([true, false])
    flow.send(100 * MIB)
    flow.take(100 * MIB)
    expect([flow.admits(MIB, 0), flow.admits(MIB + 1, 0)]).toEqual([true, false])
  })

  it('is 1 % of what will be sent at least, from the start, where that is known', () => {
    const flow = new Flow(limits)
    flow.expect(100 * MIB)
    expect([flow.admits(MIB, 0), flow.admits(MIB + 1, 0), flow.batchBytes]).toEqual([true, false, MIB / 4])
  })

  it('becomes less with every byte that is sent again, and stays 64 KiB', () => {
    const flow = new Flow(limits)
    flow.expect(100 * MIB)
    flow.sendAgain(MIB / 2)
    expect([flow.admits(MIB / 2, 0), flow.admits(MIB / 2 + 1, 0)]).toEqual([true, false])
    flow.sendAgain(MIB)
    expect(flow.admits(RESEND_LEAST, 0)).toBe(true)
  })

  it('is never more than the window', () => {
    const flow = new Flow(limits)
    flow.expect(2 ** 40)
    expect([flow.admits(8 * MIB, 0), flow.admits(8 * MIB + 1, 0)]).toEqual([true, false])
  })
})
