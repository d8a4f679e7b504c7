import { createMockHost } from '@xen-replication/backend-mock'
import { describe, expect, it } from 'vitest'

const create = (settings: Readonly<Record<string, string>>) => createMockHost().create({ name: 'demo', kind: 'hvm', memoryBytes: 16 << 20, settings })

describe('a simulated guest made by settings', () => {
  it('has what was asked for, and otherwise what the host decides', async () => {
    const host = createMockHost()
    await host.create({ name: 'demo', kind: 'pv', width: 4, memoryBytes: 16 << 20, vcpus: 2, settings: { workload: 'zipf', rate: '10', seed: '7', fill: '0.5', start: 'paused', p2m: 'tree', 'ballooned-pages': '4', nics: '2', disks: '0', 'suspend-ms': '5' } })
    const [demo] = await host.list()
    expect(demo).toMatchObject({ name: 'demo', kind: 'pv', width: 4, vcpus: 2, paused: true })
    if (demo !== undefined) expect(await host.inspect(demo.domId, ({ nics, disks }) => [nics.length, disks.length])).toEqual([2, 0])
  })

  it('runs a counter when nothing is said', async () => {
    expect(await create({})).toBe(1)
  })

  it.each([
    [{ workload: 'mining' }, "'workload' is one of idle, counter"],
    [{ rate: 'fast' }, "'rate' takes a number, not 'fast'"],
    [{ rate: ' ' }, "'rate' takes a number, not ' '"],
    [{ toString: 'x' }, "no setting 'toString'"],
  ])('refuses %j with the settings there are', async (settings, message) => {
    await expect(create(settings as Readonly<Record<string, string>>)).rejects.toMatchObject({ code: 'BACKEND_UNSUPPORTED', message: expect.stringContaining(message) as string, hint: expect.stringContaining('workload') as string })
  })
})
