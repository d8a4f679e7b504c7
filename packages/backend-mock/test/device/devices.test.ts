import { describe, expect, it } from 'vitest'
import type { Packet } from '@xen-replication/backend-mock'
import { opened, running } from '../hosts.ts'

describe('the network card of a guest', () => {
  it('sends numbered packets at once, with the time at which the guest sent each', async () => {
    const seen: Packet[] = []
    const { host, domId } = await running({ kind: 'pv', rate: 1000 }, { onPacket: (_, packet) => seen.push(packet) })
    await host.advance(350)
    const packets = await host.inspect(domId, ({ nics }) => nics[0]?.out)
    expect(packets).toMatchObject([{ number: 1, ops: 100, sentAt: 100 }, { number: 2, ops: 200, sentAt: 200 }, { number: 3, ops: 300, sentAt: 300 }])
    expect(seen).toEqual(packets)
  })

  it('holds packets back from its setup on, and lets out those of an epoch once it is committed, in order', async () => {
    const { host, domId, guest } = await opened({ kind: 'hvm', rate: 1000 })
    const [nic] = guest.devices
    const out = (): Promise<number[]> => host.inspect(domId, ({ nics }) => nics[0]?.out.map(({ number }) => number) ?? [])
    await host.advance(100)
    await nic?.setup()
    await host.advance(200)
    await nic?.postsuspend(0)
    await nic?.preresume(0)
    await host.advance(100)
    await nic?.postsuspend(1)
    await host.advance(100)
    expect(await out()).toEqual([1])
    await nic?.commit(0)
    expect(await out()).toEqual([1, 2, 3])
    await nic?.commit(1)
    expect(await out()).toEqual([1, 2, 3, 4])
    expect(await host.inspect(domId, ({ nics }) => nics[0]?.out.map(({ sentAt, leftAt }) => leftAt - sentAt))).toEqual([0, 300, 200, 100])
    expect(await host.inspect(domId, ({ nics }) => nics[0]?.held)).toMatchObject([{ number: 5 }])
    await nic?.teardown('drop')
    await host.advance(100)
    expect(await out()).toEqual([1, 2, 3, 4, 6])
  })

  it('lets everything out when it is taken down that way', async () => {
    const { host, domId, guest } = await opened({ kind: 'hvm', rate: 1000 })
    await guest.devices[0]?.setup()
    await host.advance(300)
    await guest.devices[0]?.teardown('release')
    expect(await host.inspect(domId, ({ nics }) => nics[0]?.out.length)).toBe(3)
  })
})

describe('the disk of a guest', () => {
  it('holds writes back as a network card holds packets', async () => {
    const { host, domId, guest } = await opened({ kind: 'pv', rate: 1000 })
    const disk = guest.devices[1]
    await host.advance(150)
    await disk?.setup()
    await host.advance(300)
    await disk?.postsuspend(0)
    await host.advance(150)
    const blocks = (): Promise<[number, number][]> => host.inspect(domId, ({ disks }) => [...(disks[0]?.blocks ?? [])])
    expect(await blocks()).toEqual([[1, 1]])
    await disk?.commit(0)
    expect(await blocks()).toEqual([[1, 1], [2, 2], [3, 3]])
    expect(await host.inspect(domId, ({ disks }) => disks[0]?.held)).toEqual([{ block: 4, number: 4 }])
  })
})

it('a guest may have several of them, or none', async () => {
  const several = await opened({ kind: 'pv', rate: 1000, nics: 2, disks: 3 })
  expect(several.guest.devices.map(({ name }) => name)).toEqual(['vif1.0', 'vif1.1', 'xvda', 'xvdb', 'xvdc'])
  await several.host.advance(1000)
  expect(await several.host.inspect(several.domId, ({ nics }) => nics.map(({ out }) => out.length))).toEqual([5, 5])
  const none = await opened({ kind: 'pv', nics: 0, disks: 0 })
  await none.host.advance(1000)
  expect(none.guest.devices).toEqual([])
})
