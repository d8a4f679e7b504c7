import { describe, expect, it } from 'vitest'
import { faultCalls, parseFaults, virtualClock, withFaults, type MockHost } from '@xen-replication/backend-mock'
import type { DomId, GuestForSave } from '@xen-replication/hypervisor'
import { running } from '../hosts.ts'

async function faulty(plan: string, kind: 'pv' | 'hvm' = 'hvm'): Promise<{ readonly host: MockHost; readonly domId: DomId; readonly guest: GuestForSave }> {
  const at = await running({ kind }, { clock: virtualClock({ idle: 'jump' }) })
  const host = withFaults(at.host, parseFaults(plan))
  return { host, domId: at.domId, guest: await host.openForSave(at.domId) }
}

describe('a plan of faults', () => {
  it('is read from a line of text', () => {
    expect(parseFaults('suspend:2=timeout, map:17=fail,take:3+=fail(BACKEND_HOST),types=delay(1.5ms),map:2-4=torn,')).toEqual([
      { call: 'suspend', first: 2, last: 2, action: { what: 'timeout' } },
      { call: 'map', first: 17, last: 17, action: { what: 'fail', code: 'BACKEND_MAP' } },
      { call: 'take', first: 3, last: Infinity, action: { what: 'fail', code: 'BACKEND_HOST' } },
      { call: 'types', first: 1, last: Infinity, action: { what: 'delay', ms: 1.5 } },
      { call: 'map', first: 2, last: 4, action: { what: 'torn' } },
    ])
    expect(parseFaults(' ')).toEqual([])
  })

  it.each([
    'map', 'map:1', 'map:0=fail', 'map:4-2=fail', 'nothing=fail', 'toString=fail', 'map=explode', 'map=fail(NO_CODE)', 'map=delay', 'map=delay(soon)', 'map=crash(now)', 'types=torn', 'map=timeout', 'map=lose', 'map:1=fail=fail',
  ])('is refused when it says %s', (text) => {
    expect(() => parseFaults(text)).toThrow(expect.objectContaining({ code: 'BACKEND_UNSUPPORTED', hint: expect.stringContaining('suspend:2=timeout') as string }) as Error)
  })

  it('can name every call', () => {
    for (const call of Object.keys(faultCalls)) expect(parseFaults(`${call}=fail`)).toHaveLength(1)
  })
})

describe('with faults, a host', () => {
  it('fails the calls that were named, by number over all guests, and no others', async () => {
    const { host, domId, guest } = await faulty('map:2=fail,types:3+=fail(BACKEND_DENIED)')
    const map = (): Promise<void> => guest.memory.map([1]).then((mapped) => mapped.close())
    await map()
    const second = await host.openForSave(domId)
    await expect(second.memory.map([1])).rejects.toMatchObject({ code: 'BACKEND_MAP', message: 'map fails the 2. time, as planned' })
    await map()
    for (const fails of [false, false, true, true]) {
      const call = guest.memory.types([1])
      await (fails ? expect(call).rejects.toMatchObject({ code: 'BACKEND_DENIED' }) : call)
    }
    await second.close()
    await guest.close()
    expect(host.leaks()).toEqual([])
  })

  it('takes longer where it was told to', async () => {
    const { host, guest } = await faulty('frames=delay(250ms)')
    await guest.memory.frames()
    await guest.memory.frames()
    expect(host.clock.now()).toBe(500)
  })

  it('has guests that time out once and answer the next time', async () => {
    const { guest } = await faulty('suspend:1=timeout')
    await expect(guest.lifecycle.suspend()).rejects.toMatchObject({ code: 'BACKEND_SUSPEND_TIMEOUT' })
    expect(await guest.lifecycle.state()).toMatchObject({ shutdown: undefined })
    await guest.lifecycle.suspend()
    expect(await guest.lifecycle.state()).toMatchObject({ shutdown: 'suspend' })
  })

  it('counts the lifecycle of a guest whoever asks for it', async () => {
    const { host, domId, guest } = await faulty('pause:2=fail')
    await guest.lifecycle.pause()
    await expect(host.lifecycle(domId).pause()).rejects.toMatchObject({ code: 'BACKEND_HOST' })
  })

  it('loses a device model for good', async () => {
    const { guest } = await faulty('model.state:2=lose')
    await guest.lifecycle.suspend()
    await guest.deviceModel?.state()
    await expect(guest.deviceModel?.state()).rejects.toMatchObject({ code: 'BACKEND_DEVICE_MODEL' })
    await expect(guest.deviceModel?.xenstore()).rejects.toMatchObject({ code: 'BACKEND_DEVICE_MODEL' })
    await expect(guest.deviceModel?.logDirty('off')).rejects.toMatchObject({ code: 'BACKEND_DEVICE_MODEL' })
  })

  it('has guests that crash or vanish in the middle of it', async () => {
    const crashed = await faulty('take:1=crash')
    await crashed.guest.dirty.enable()
    await crashed.guest.dirty.take(8)
    expect(await crashed.guest.lifecycle.state()).toMatchObject({ shutdown: 'crash' })
    const vanished = await faulty('map:1=vanish', 'pv')
    await expect(vanished.guest.memory.map([1])).rejects.toMatchObject({ code: 'BACKEND_NO_SUCH_DOMAIN' })
    const noGuest = await faulty('list=crash,config=vanish')
    expect(await noGuest.host.list()).toHaveLength(1)
    await expect(noGuest.host.config(noGuest.domId)).rejects.toMatchObject({ code: 'BACKEND_NO_SUCH_DOMAIN' })
  })

  it('writes only a part of what is written to frames', async () => {
    const { host } = await faulty('map:1=torn')
    const guest = await host.openForRestore({ kind: 'hvm', name: 'new', config: '' })
    await guest.memory.populate([0, 1], 0)
    for (const round of [1, 2]) {
      const mapped = await guest.memory.map([0, 1])
      mapped.views.forEach((bytes) => bytes.fill(round))
      mapped.close()
      mapped.close()
      const seen = await guest.memory.map([0, 1])
      expect([seen.page(0)[4095], seen.page(1)[2047], seen.page(1)[2048]]).toEqual(round === 1 ? [1, 1, 0] : [2, 2, 2])
      seen.close()
    }
    expect(await guest.memory.map([])).toMatchObject({ count: 0 })
    await guest.close()
  })

  it('fails devices and restores as well', async () => {
    const { host, guest } = await faulty('device.commit:1=fail,pin=fail,complete=fail,setTsc=fail', 'pv')
    await guest.devices[0]?.setup()
    await expect(guest.devices[1]?.commit(0)).rejects.toMatchObject({ code: 'BACKEND_HOST' })
    const target = await host.openForRestore({ kind: 'pv', name: 'new', config: '' })
    expect(target.pv?.machine.maxMfn).toBe(guest.pv?.machine.maxMfn)
    await expect(target.pv?.pin([])).rejects.toMatchObject({ code: 'BACKEND_PAGE_TABLE' })
    await expect(target.complete({ store: 0, console: 0 })).rejects.toMatchObject({ code: 'BACKEND_HOST' })
    await expect(target.cpu.setTsc({ mode: 0, khz: 1, nsec: 0n, incarnation: 0 })).rejects.toMatchObject({ code: 'BACKEND_CPU_STATE' })
    await target.close()
    expect(await host.list()).toHaveLength(1)
  })

  it('can still do what else it can', async () => {
    const { host, domId } = await faulty('list=fail')
    await host.createGuest({ name: 'more', kind: 'pv', memoryBytes: 2 ** 20 })
    await host.advance(10)
    expect(host.capabilities.has('create')).toBe(true)
    expect(host.name).toBe('mock')
    expect(await host.inspect(domId, ({ ops }) => ops)).toBe(10)
  })
})
