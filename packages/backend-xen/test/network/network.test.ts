import { netBufferCodes } from '@xen-replication/net-buffer'
import { describe, expect, it } from 'vitest'
import { lackingModules } from '../../src/network/buffer-modules.ts'
import { GuestNetwork } from '../../src/network/guest-network.ts'
import { guestVifs } from '../../src/network/guest-vifs.ts'
import { FakeXenstore, fakePlatform } from '../fakes/fake-platform.ts'

/** A store in which domain 7 has these network devices. */
function storeWith(devices: Readonly<Record<string, { readonly backend?: string; readonly name?: string }>>): FakeXenstore {
  const store = new FakeXenstore()
  for (const [id, { backend = `/local/domain/0/backend/vif/7/${id}`, name }] of Object.entries(devices)) {
    store.nodes.set(`/local/domain/7/device/vif/${id}/backend`, backend)
    if (name !== undefined) store.nodes.set(`${backend}/vifname`, name)
  }
  return store
}

const none = (): Promise<boolean> => Promise.resolve(false)

describe('the interfaces of a guest', () => {
  it('are found in xenstore, by their own names where they have some', async () => {
    expect(await guestVifs(storeWith({ 0: {}, 1: { name: 'web.1' } }), 7, none)).toEqual(['vif7.0', 'web.1'])
    expect(await guestVifs(storeWith({}), 7, none)).toEqual([])
  })

  it('are two where its device model emulates a network card beside the Xen one', async () => {
    expect(await guestVifs(storeWith({ 0: {} }), 7, (name) => Promise.resolve(name === 'vif7.0-emu'))).toEqual(['vif7.0', 'vif7.0-emu'])
  })

  it('cannot be held back in a driver domain', async () => {
    await expect(guestVifs(storeWith({ 0: { backend: '/local/domain/3/backend/vif/7/0' } }), 7, none)).rejects.toMatchObject({ code: 'BACKEND_UNSUPPORTED', hint: expect.stringContaining('-n -F') as string })
  })

  it('that are just being taken away are passed over', async () => {
    const store = new FakeXenstore()
    store.nodes.set('/local/domain/7/device/vif/0/state', '6')
    expect(await guestVifs(store, 7, none)).toEqual([])
  })
})

/** A network whose programs write down what they are told. */
function network(vifs: () => Promise<readonly string[]>) {
  const told: string[] = []
  const run = (program: string, args: readonly string[], input: string) => {
    told.push(`${program} ${args.join(' ')}${input === '' ? '' : ` < ${input.trim().replaceAll('\n', '; ')}`}`)
    return Promise.resolve({ status: args[1] === 'del' ? 1 : 0, output: '[]', messages: '' })
  }
  return { device: new GuestNetwork({ vifs, clock: fakePlatform().clock, run }), told }
}

describe('the network of a guest', () => {
  it('is looked up when it begins to be held back, and each checkpoint closes and releases an epoch', async () => {
    const { device, told } = network(() => Promise.resolve(['vif7.0']))
    expect([device.kind, await device.waiting(), told]).toEqual(['network', 0, []])
    await device.setup()
    expect(told).toContain('tc qdisc add dev xr-vif7.0 root plug limit 10000000')
    told.length = 0
    await device.postsuspend(0)
    await device.preresume(0)
    await device.commit(0)
    expect(told).toEqual(['tc -force -batch - < qdisc change dev xr-vif7.0 root plug block', 'tc -force -batch - < qdisc change dev xr-vif7.0 root plug release'])
    await device.teardown('drop')
    expect(told).toContain('ip link del dev xr-vif7.0')
    told.length = 0
    await device.teardown('release')
    expect(told).toEqual([])
  })

  it('of a guest without network devices costs nothing', async () => {
    const { device, told } = network(() => Promise.resolve([]))
    await device.setup()
    await device.postsuspend(0)
    await device.commit(0)
    await device.teardown('release')
    expect(told).toEqual([])
  })

  it('that cannot be held back says so, and nothing is left', async () => {
    const { device, told } = network(() => Promise.resolve(['no such name']))
    await expect(device.setup()).rejects.toMatchObject({ code: 'NETBUF_VIF' satisfies keyof typeof netBufferCodes })
    await device.teardown('drop')
    expect(told).toEqual([])
  })
})

describe('modules of the kernel', () => {
  const lists: Readonly<Record<string, string>> = {
    '/lib/modules/6.1/modules.dep': 'kernel/drivers/net/ifb.ko:\nkernel/net/sched/sch_plug.ko.xz: kernel/x.ko\nkernel/net/sched/act_mirred.ko:\nkernel/net/sched/cls-u32.ko:\n',
    '/lib/modules/6.1/modules.builtin': 'kernel/net/sched/sch_ingress.ko\n',
  }
  const read = (path: string): Promise<string | undefined> => Promise.resolve(lists[path])

  it('are there when they are built in or lie beside the kernel', async () => {
    expect(await lackingModules(read, '6.1')).toEqual([])
    expect(await lackingModules((path) => Promise.resolve(lists[path]?.replace('sch_plug', 'sch_prio')), '6.1')).toEqual(['sch_plug'])
  })

  it('are all missing for a kernel whose lists are not there', async () => {
    expect(await lackingModules(read, '6.2')).toEqual(['ifb', 'sch_plug', 'sch_ingress', 'cls_u32', 'act_mirred'])
  })
})
