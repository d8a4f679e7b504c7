import type { ByteSink } from '@xen-replication/format'
import { describe, expect, it } from 'vitest'
import { drive, type Drive } from './driver.ts'
import { goldHvm, goldPv, type Gold } from './gold.ts'

const cases: readonly [string, Gold, Drive][] = [
  ['a stopped HVM guest', goldHvm('gold_xc_hvm_nonlive'), { options: { mode: 'stopped' } }],
  ['a running HVM guest, verified', goldHvm('gold_xc_hvm_live'), { options: { mode: 'live', verify: true } }],
  ['an HVM guest with checkpoints', goldHvm('gold_xc_hvm_remus'), { options: { mode: 'checkpointed' }, checkpoints: 3 }],
  ['a 64-bit PV guest', goldPv('gold_xc_pv64_nonlive', 8), { options: { mode: 'live' } }],
  ['a 32-bit PV guest', goldPv('gold_xc_pv32_nonlive', 4), { options: { mode: 'stopped' } }],
]

/** Calls whose failure does not fail a save: tracking is asked for twice, and what cannot be undone at the end is only told. */
const FORGIVEN = ['enable', 'disable', 'deviceModel.logDirty off']

describe('whatever the hypervisor refuses', () => {
  for (const [what, gold, how] of cases) {
    it(`leaves nothing behind and says what failed: ${what}`, async () => {
      const good = gold.guest()
      expect((await drive(good, how)).error).toBeUndefined()
      for (const [i, call] of good.calls.entries()) {
        const guest = gold.guest()
        guest.failAt = i + 1
        const { error, events } = await drive(guest, how)
        if (FORGIVEN.includes(call)) expect(error, call).toBeUndefined()
        else expect(error, call).toMatchObject({ code: 'BACKEND_HOST', message: `call ${i + 1}, ${call}, fails` })
        expect(guest.openMappings, call).toBe(0)
        const stuck = events.flatMap((event) => (event.type === 'trouble' ? [event.what] : []))
        expect(guest.logDirty, call).toBe(stuck.includes('log-dirty-off') ? 'on' : 'off')
        expect(guest.emulatorLogDirty, call).toBe(stuck.includes('device-model-log-dirty-off') ? 'on' : 'off')
      }
    })

    it(`leaves nothing behind when the bytes can go nowhere: ${what}`, async () => {
      let writes = 0
      const counting = (to: ByteSink): ByteSink => ({ write: (parts) => (writes++, to.write(parts)) })
      await drive(gold.guest(), { ...how, sink: counting })
      for (let fail = 1; fail <= writes; fail++) {
        let n = 0
        const failing = (to: ByteSink): ByteSink => ({ write: (parts) => (++n === fail ? Promise.reject(new Error(`write ${fail}`)) : to.write(parts)) })
        const guest = gold.guest()
        const { error } = await drive(guest, { ...how, sink: failing })
        expect(error).toMatchObject({ message: `write ${fail}` })
        expect(guest).toMatchObject({ openMappings: 0, logDirty: 'off', emulatorLogDirty: 'off' })
        expect(n, 'nothing is written after a failed write').toBe(fail)
      }
    })

    it(`ends at once when called off at any call: ${what}`, async () => {
      const good = gold.guest()
      await drive(good, how)
      for (let at = 1; at <= good.calls.length; at++) {
        const guest = gold.guest()
        const off = new AbortController()
        guest.atCall = (n) => void (n === at && off.abort('enough'))
        const { error } = await drive(guest, { ...how, options: { ...how.options, signal: off.signal } })
        if (error !== undefined) expect(error).toMatchObject({ code: 'SAVE_ABORTED', cause: 'enough' })
        expect(guest).toMatchObject({ openMappings: 0, logDirty: 'off', emulatorLogDirty: 'off' })
      }
    })
  }
})

describe('what cannot be undone at the end', () => {
  it('is reported, and the image is whole', async () => {
    const gold = goldHvm('gold_xc_hvm_live')
    const good = gold.guest()
    await drive(good, { options: { mode: 'live' } })
    expect(good.calls.slice(-2)).toEqual(['disable', 'deviceModel.logDirty off'])
    const guest = gold.guest()
    guest.failAt = good.calls.length
    const { bytes, events } = await drive(guest, { options: { mode: 'live' } })
    expect(Buffer.compare(bytes, gold.stream)).toBe(0)
    expect(events.at(-1)).toMatchObject({ type: 'trouble', what: 'device-model-log-dirty-off', error: { code: 'BACKEND_HOST' } })
  })
})
