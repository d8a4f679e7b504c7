import { expect, it } from 'vitest'
import { opened } from '../hosts.ts'

it('a host tells everything that was taken and not given back', async () => {
  const { host, domId, guest } = await opened({ kind: 'hvm' })
  const [first, second] = [await guest.memory.map([0, 1]), await guest.memory.map([5])]
  await guest.dirty.enable()
  await guest.deviceModel?.logDirty('on')
  await guest.lifecycle.pause()
  await guest.lifecycle.unpause()
  await guest.lifecycle.suspend()
  await guest.lifecycle.pause()
  expect(host.leaks()).toEqual([
    { domId, what: 'handle', count: 1 },
    { domId, what: 'mapping', count: 2 },
    { domId, what: 'log-dirty', count: 1 },
    { domId, what: 'device-model-log-dirty', count: 1 },
    { domId, what: 'suspended', count: 1 },
    { domId, what: 'paused', count: 1 },
  ])
  first.close()
  first.close()
  expect(host.leaks()).toContainEqual({ domId, what: 'mapping', count: 1 })
  await guest.close()
  second.close()
  expect(host.leaks().map(({ what }) => what)).toEqual(['suspended', 'paused'])
  await host.lifecycle(domId).resume('cancelled')
  await host.lifecycle(domId).unpause()
  expect(host.leaks()).toEqual([])
})

it('frames that were unmapped can no longer be looked at, nor a guest that was closed', async () => {
  const { guest } = await opened({ kind: 'hvm' })
  const mapped = await guest.memory.map([1, 2, 9])
  expect(mapped.views.map(({ length }) => length)).toEqual([8192, 4096])
  expect(mapped.page(1)).toHaveLength(4096)
  expect(() => mapped.page(3)).toThrow(expect.objectContaining({ code: 'BACKEND_MAP' }) as Error)
  mapped.close()
  expect(() => mapped.page(0)).toThrow(expect.objectContaining({ code: 'BACKEND_STATE' }) as Error)
  expect(() => mapped.views).toThrow(expect.objectContaining({ code: 'BACKEND_STATE' }) as Error)
  await guest.close()
  await expect(guest.memory.frames()).rejects.toMatchObject({ code: 'BACKEND_STATE' })
})

it('what is mapped shows what the guest goes on writing', async () => {
  const { host, guest } = await opened({ kind: 'pvh', workload: 'counter' })
  const mapped = await guest.memory.map([17])
  await host.advance(42)
  expect(mapped.page(0)[0]).toBe(42)
  mapped.close()
})
