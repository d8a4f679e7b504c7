import { describe, expect, it } from 'vitest'
import { HYPERCALL } from '../../src/hypercall/hypercall.ts'
import { Guard } from '../../src/guard/guard.ts'
import { XenDeviceModel } from '../../src/ports/device-model.ts'
import { XenLifecycle } from '../../src/ports/lifecycle.ts'
import { noGuard } from '../fakes/no-guard.ts'
import { fakePlatform } from '../fakes/fake-platform.ts'

const DOM = 5
const REQUEST = `/local/domain/${DOM}/control/shutdown`
const CHANNEL = `/local/domain/${DOM}/device/suspend/event-channel`
const SUSPENDED = 4 | (2 << 16)
const PAUSED = 8

/** A guest and how it stands; `callback` says whether an HVM guest has PV drivers. */
function guest(kind: 'pv' | 'pvh' | 'hvm', { callback = 1n, acpi = 0n }: { readonly callback?: bigint; readonly acpi?: bigint } = {}) {
  const platform = fakePlatform()
  const { hypercalls, store } = platform
  let flags = 0
  const destroyed: number[] = []
  const stand = (value: number): void => {
    flags = value
  }
  hypercalls
    .on('info', ({ domain, answer }) => answer({ domain, flags: flags | (kind === 'pv' ? 0 : 2), emulation: kind === 'hvm' ? 0x3f : 1, maxVcpuId: 0 }))
    .on('resume', () => (stand(0), 0))
    .on('pause', () => (stand(PAUSED), 0))
    .on('unpause', () => (stand(0), 0))
    .on('subscribe', () => 0)
    .on('getAddressSize', ({ answer }) => answer({ size: 64 }))
    .on('getVcpuContext', ({ fields, memory }) => (memory(fields['context']).fill(0xee, 0, 5168), 0))
  hypercalls.others.set(HYPERCALL.hvmOp, ([, at]) => {
    const view = new DataView(hypercalls.memory(at).buffer, hypercalls.memory(at).byteOffset)
    view.setBigUint64(8, view.getUint32(4, true) === 0 ? callback : acpi, true)
    return 0
  })
  hypercalls.others.set(HYPERCALL.schedOp, () => (stand(SUSPENDED), 0))
  const model = kind === 'hvm' ? new XenDeviceModel(platform, DOM, '/nowhere', new Guard(DOM, noGuard)) : undefined
  const lifecycle = new XenLifecycle(platform, DOM, () => ({ model, destroy: async (id) => void destroyed.push(await Promise.resolve(id)) }))
  return { platform, store, stand, destroyed, lifecycle, model: platform.model }
}

describe('suspending', () => {
  it.each(['pv', 'pvh', 'hvm'] as const)('is asked of a %s guest over xenstore, and waited for', async (kind) => {
    const { store, lifecycle, stand } = guest(kind)
    store.onWrite = (path, value) => {
      if (path !== REQUEST || value !== 'suspend') return
      store.nodes.set(REQUEST, '')
      stand(SUSPENDED)
    }
    await lifecycle.suspend()
    expect(await lifecycle.state()).toEqual({ dying: false, paused: false, shutdown: 'suspend' })
    expect(store.watched).toBe(0)
  })

  it('is done to an HVM guest without PV drivers, or asleep, from outside', async () => {
    for (const how of [{ callback: 0n }, { acpi: 3n }]) {
      const { store, lifecycle, model } = guest('hvm', how)
      await lifecycle.suspend()
      expect(store.nodes.has(REQUEST)).toBe(false)
      expect(model.commands).toEqual(['stop'])
    }
  })

  it('goes over the event channel that a guest offers, which is given back', async () => {
    const { platform, store, lifecycle, stand } = guest('pv')
    store.nodes.set(CHANNEL, '17')
    platform.events.onNotify = () => stand(SUSPENDED)
    await lifecycle.suspend()
    expect([platform.events.bound, platform.events.locked, store.nodes.has(REQUEST)]).toEqual([['5:17'], 1, false])
    lifecycle.close()
    lifecycle.close()
    expect([platform.events.bound, platform.events.locked]).toEqual([[], 0])
  })

  it.each(['x', '-1', '0'])('is refused when the channel that the guest names is %s', async (port) => {
    const { store, lifecycle, platform } = guest('pv')
    store.nodes.set(CHANNEL, port)
    await expect(lifecycle.suspend()).rejects.toMatchObject({ code: 'BACKEND_HOST' })
    expect(platform.events.locked).toBe(0)
  })

  it('that the guest does not answer over its event channel ends after 60 s', async () => {
    const { platform, store, lifecycle } = guest('pv')
    store.nodes.set(CHANNEL, '17')
    platform.events.bind = () => ({ notify: () => undefined, close: () => undefined, heard: async (ms) => (await platform.clock.sleep(ms), false) })
    await expect(lifecycle.suspend()).rejects.toMatchObject({ code: 'BACKEND_SUSPEND_TIMEOUT' })
    expect(platform.clock.passed()).toBe(60_000)
  })

  it('that the guest does not take is taken back after 60 s', async () => {
    const { platform, store, lifecycle } = guest('pv')
    await expect(lifecycle.suspend()).rejects.toMatchObject({ code: 'BACKEND_SUSPEND_TIMEOUT' })
    expect([store.nodes.get(REQUEST), platform.clock.passed(), store.watched]).toEqual(['', 60_000, 0])
  })

  it('that the guest takes in the last moment is waited for', async () => {
    const { store, lifecycle, stand } = guest('pv')
    const read = store.read.bind(store)
    let looks = 0
    store.read = async (path) => {
      if (path === REQUEST && ++looks > 61) {
        store.nodes.set(REQUEST, '')
        stand(SUSPENDED)
      }
      return read(path)
    }
    await lifecycle.suspend()
    expect((await lifecycle.state()).shutdown).toBe('suspend')
  })

  it('that is called off leaves no request behind', async () => {
    const { store, lifecycle } = guest('pv')
    const off = new AbortController()
    store.onWrite = (_, value) => value === 'suspend' && off.abort(new Error('enough'))
    await expect(lifecycle.suspend(off.signal)).rejects.toThrow('enough')
    expect([store.nodes.get(REQUEST), store.watched]).toEqual(['', 0])
    await expect(lifecycle.suspend(AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
  })

  it.each([[3, 'crash'], [0, 'poweroff'], [1, 'reboot']] as const)('that ends with reason %i instead is told: %s', async (reason, word) => {
    const { store, lifecycle, stand } = guest('pv')
    store.onWrite = () => {
      store.nodes.set(REQUEST, '')
      stand(4 | (reason << 16))
    }
    await expect(lifecycle.suspend()).rejects.toMatchObject({ code: 'BACKEND_SUSPEND', message: expect.stringContaining(word) as string })
    await expect(lifecycle.suspend()).rejects.toMatchObject({ code: 'BACKEND_SUSPEND' })
    await expect(lifecycle.resume('cancelled')).rejects.toMatchObject({ code: 'BACKEND_SUSPEND' })
  })

  it('of a paused guest is refused, for it cannot answer', async () => {
    const { lifecycle, stand } = guest('pv')
    stand(PAUSED)
    await expect(lifecycle.suspend()).rejects.toMatchObject({ code: 'BACKEND_STATE' })
  })

  it('of one that stands already does nothing more', async () => {
    const { lifecycle, stand, store } = guest('pv')
    stand(SUSPENDED)
    await lifecycle.suspend()
    expect(store.nodes.size).toBe(0)
  })
})

describe('going on', () => {
  it.each([['pv', 1n, true], ['hvm', 1n, true], ['hvm', 0n, false]] as const)('of a %s guest (callback %i) tells it that it was called off: %s', async (kind, callback, told) => {
    const { platform, lifecycle, stand, store } = guest(kind, { callback })
    const registers: bigint[] = []
    platform.hypercalls.on('setVcpuContext', ({ fields, memory }) => {
      const bytes = memory(fields['context'])
      registers.push(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(600, true), BigInt(bytes[599] ?? 0), BigInt(bytes[608] ?? 0))
      return 0
    })
    stand(SUSPENDED)
    await lifecycle.resume('cancelled')
    await lifecycle.resume('cancelled')
    expect(registers).toEqual(told ? [1n, 0xeen, 0xeen] : [])
    expect(store.resumed).toEqual([DOM])
    expect(platform.hypercalls.log.filter((name) => name === 'resume')).toHaveLength(1)
  })

  it('wakes the device model first', async () => {
    const { platform, lifecycle, stand, model } = guest('hvm', { callback: 0n })
    stand(SUSPENDED)
    model.onCommand = () => platform.hypercalls.log.push('cont')
    await lifecycle.resume('resumed')
    expect(platform.hypercalls.log.filter((name) => name === 'cont' || name === 'resume')).toEqual(['cont', 'resume'])
  })
})

describe('pausing', () => {
  it('is done once however often it is asked for, and undone once', async () => {
    const { platform, lifecycle } = guest('pv')
    for (let i = 0; i < 2; i++) await lifecycle.pause()
    for (let i = 0; i < 2; i++) await lifecycle.unpause()
    expect(platform.hypercalls.log.filter((name) => name.includes('pause'))).toEqual(['pause', 'unpause'])
  })
})

describe('destroying', () => {
  it('is the toolstack’s to do, and nothing for a guest that is gone', async () => {
    const { platform, lifecycle, destroyed } = guest('pv')
    await lifecycle.destroy()
    platform.hypercalls.on('info', () => -3)
    await lifecycle.destroy()
    expect(destroyed).toEqual([DOM])
    await expect(lifecycle.state()).rejects.toMatchObject({ code: 'BACKEND_NO_SUCH_DOMAIN' })
  })
})
