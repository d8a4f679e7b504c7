import { createMockHost, virtualClock, type MockHost } from '@xen-replication/backend-mock'
import type { DomId, ShadowPorts } from '@xen-replication/hypervisor'
import { describe, expect, it } from 'vitest'
import { moved } from '../carry.ts'
import { running } from '../hosts.ts'

async function shadowed(): Promise<{ readonly host: MockHost; readonly domId: DomId; readonly shadow: ShadowPorts }> {
  const host = createMockHost({ clock: virtualClock() })
  const source = await running({ kind: 'hvm', rate: 1000 }, { clock: host.clock })
  const domId = await moved(source, host)
  return { host, domId, shadow: await host.openShadow(domId) }
}

const dirtyOf = (bitmap: Uint8Array): number => bitmap.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)

describe('a guest that follows another one', () => {
  it('has its own writes known from the beginning, those of its emulator included', async () => {
    const { host, domId, shadow } = await shadowed()
    await host.lifecycle(domId).unpause()
    await host.advance(200)
    const { bitmap } = await shadow.dirty.take(64)
    expect(dirtyOf(bitmap)).toBeGreaterThan(1)
    expect(((bitmap[2] as number) >> 3) & 1).toBe(1) // page 19: read from disk into it
    await shadow.close('goes')
  })

  it('forgets at a checkpoint what it wrote to disk, and keeps what it wrote since when it takes over', async () => {
    const { host, domId, shadow } = await shadowed()
    const [disk] = shadow.devices
    const written = (): Promise<number> => host.inspect(domId, ({ disks }) => disks[0]?.blocks.size ?? 0)
    await disk?.setup()
    await host.lifecycle(domId).unpause()
    await host.advance(300)
    expect(await disk?.waiting()).toBe(2)
    await disk?.preresume(0)
    expect(await disk?.waiting()).toBe(0)
    await host.advance(150)
    await disk?.teardown('release')
    expect(await written()).toBe(1)
    await shadow.close('stays')
  })

  it('does not begin with a guest that runs, or a PV guest', async () => {
    const { host, domId } = await running({ kind: 'pvh' })
    await expect(host.openShadow(domId)).rejects.toMatchObject({ code: 'BACKEND_STATE' })
    const pv = await running({ kind: 'pv' })
    await expect(pv.host.openShadow(pv.domId)).rejects.toMatchObject({ code: 'BACKEND_UNSUPPORTED' })
    expect(host.leaks()).toEqual([])
  })

  it.each([['stays', 1], ['goes', 0]] as const)('when it %s it is there after its process is gone: %i', async (how, left) => {
    const { host, domId, shadow } = await shadowed()
    await shadow.close(how)
    await shadow.close(how)
    await host.close()
    expect((await host.list()).filter((one) => one.domId === domId)).toHaveLength(left)
  })
})
