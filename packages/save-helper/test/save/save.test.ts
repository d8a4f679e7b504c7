import { describe, expect, it } from 'vitest'
import type { GuestSpec } from '@xen-replication/backend-mock'
import type { DomId } from '@xen-replication/hypervisor'
import { memoryOf, mockScene, restoreOf, saveOn } from '../mock-host.ts'

const LIVE = 1
const names = (calls: readonly { name: string }[]): string[] => calls.map(({ name }) => name)

const kinds: readonly (Omit<GuestSpec, 'name'> & { readonly says: string })[] = [
  { says: 'a 64-bit PV guest', kind: 'pv' },
  { says: 'a 32-bit PV guest', kind: 'pv', width: 4, p2m: 'tree' },
  { says: 'a PVH guest', kind: 'pvh', vcpus: 2 },
  { says: 'an HVM guest', kind: 'hvm' },
]

describe.each(kinds)('$says', ({ says, ...spec }) => {
  it.each([['stopped', 0], ['live', LIVE]] as const)('saved %s runs on where it is restored', async (_, flags) => {
    const scene = await mockScene(spec)
    const saved = await saveOn(scene, { flags })
    expect(saved.exit).toBe(0)
    expect(saved.libxl.logs.filter((text) => !text.startsWith('3 '))).toEqual(['1 starting save'])
    const log = spec.kind === 'pv' ? [] : ['switchQemuLogdirty']
    expect(names(saved.libxl.calls)).toEqual([...log, 'suspend', ...log, 'complete'])
    expect(saved.libxl.heard.at(-1)).toEqual({ name: 'complete', values: { result: 0, errno: 0 } })
    expect(scene.mock.leaks().map(({ what }) => what)).toEqual(['suspended']) // which is libxl's to end

    const restored = await restoreOf(scene, saved.bytes)
    expect(restored.exit).toBe(0)
    expect(restored.libxl.logs).toEqual(['1 starting restore', expect.stringMatching(/^5 restoring an? (PV|HVM or PVH) guest from an image of version 3$/)])
    expect(names(restored.libxl.calls)).toEqual(['staticDataDone', 'restoreResults', 'complete'])
    const [{ domId }] = (await restored.mock.list()) as unknown as [{ domId: DomId }]
    if (spec.kind === 'pv') expect((await memoryOf(restored.mock, domId)).size).toBeGreaterThan(1000)
    const before = await restored.mock.inspect(domId, ({ ops }) => ops)
    expect(before).toBe(await scene.mock.inspect(scene.domId, ({ ops }) => ops))
    await restored.mock.lifecycle(domId).unpause()
    await restored.mock.lifecycle(domId).resume('resumed').catch(() => undefined)
    await restored.mock.advance(1000)
    const { crash, ops } = await restored.mock.inspect(domId, ({ crash, ops }) => ({ crash, ops }))
    expect({ crash, more: ops > before }).toEqual({ crash: undefined, more: true })
    expect(restored.mock.leaks()).toEqual([])
    expect(says).toBeTruthy()
  })
})

describe('--compact', () => {
  it('leaves out what the guest does not have, and the guest is the same', async () => {
    const scene = await mockScene({ kind: 'pvh', workload: 'idle' })
    const whole = await saveOn(scene)
    await scene.mock.lifecycle(scene.domId).resume('cancelled')
    const compact = await saveOn(scene, { options: ['--compact'] })
    const [{ domId }] = (await (await restoreOf(scene, whole.bytes)).mock.list()) as unknown as [{ domId: DomId }]
    const memories = await Promise.all([whole, compact].map(async ({ bytes }) => memoryOf((await restoreOf(scene, bytes)).mock, domId)))
    expect(whole.bytes.length - compact.bytes.length).toBeGreaterThan(8_000_000)
    expect(memories[1]?.size).toBe(memories[0]?.size)
  })
})
