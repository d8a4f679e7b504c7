import { COUNTER_PFN, createMockHost, STATE_PFN, virtualClock, type GuestSpec } from '@xen-replication/backend-mock'
import { backendCases, deviceCases, type BackendBench, type DeviceBench } from '@xen-replication/compliance'
import { describe, it } from 'vitest'

const MIB = 2 ** 20

/** A host with a guest that counts, in a time that only the bench lets pass. */
async function benchOf(spec: Omit<GuestSpec, 'name'>): Promise<BackendBench> {
  const host = createMockHost({ clock: virtualClock() })
  const domId = await host.createGuest({ name: 'demo', memoryBytes: 8 * MIB, ...spec, fill: 0.5 })
  const quiet = await host.inspect(domId, (guest) => {
    const filled = (pfn: number): boolean => guest.page(pfn)?.some((byte) => byte !== 0) === true
    return Array.from({ length: guest.top }, (_, pfn) => pfn).filter((pfn) => pfn > 512 && guest.type(pfn) === 0 && filled(pfn)).slice(-3)
  })
  return {
    backend: host,
    domId,
    quiet,
    work: async () => {
      await host.advance(100)
      return [COUNTER_PFN, STATE_PFN]
    },
    frameOf: (pfn) => host.inspect(domId, (guest) => guest.frame(pfn) ?? -1),
    request: (name) => ({ name, kind: spec.kind, config: JSON.stringify({ c_info: { name, uuid: '00000000-0000-4000-8000-000000000001' }, b_info: { max_vcpus: 1, max_memkb: 16 * 1024 } }) }),
    held: () => Promise.resolve(host.leaks().map(({ domId: holder, what, count }) => `${holder} ${what} ${count}`)),
    close: () => host.close(),
  }
}

const kinds: Readonly<Record<string, Omit<GuestSpec, 'name'>>> = {
  '64-bit PV': { kind: 'pv', width: 8 },
  '32-bit PV': { kind: 'pv', width: 4 },
  PVH: { kind: 'pvh' },
  HVM: { kind: 'hvm' },
}

describe.each(Object.entries(kinds))('the simulated host, %s', (_, spec) => {
  for (const one of backendCases(spec.kind)) it(one.name, () => one.run(() => benchOf(spec)))
})

/** The cards and disks of a guest that does nothing by itself. */
async function deviceOf(which: 'nic' | 'disk'): Promise<DeviceBench> {
  const host = createMockHost({ clock: virtualClock() })
  const domId = await host.createGuest({ name: 'demo', kind: 'pvh', memoryBytes: 4 * MIB, workload: 'idle' })
  const guest = await host.openForSave(domId)
  const { nics, disks } = await host.inspect(domId, (view) => view)
  const [nic, disk] = [nics[0] as (typeof nics)[number], disks[0] as (typeof disks)[number]]
  let number = 0
  const emit = (): Promise<string> => {
    number += 1
    if (which === 'nic') nic.happen({ number, ops: 0, sentAt: 0, leftAt: 0, noise: 0 })
    else disk.happen({ block: number, number })
    return Promise.resolve(String(number))
  }
  const seen = (): Promise<string[]> => Promise.resolve(which === 'nic' ? nic.out.map((packet) => String(packet.number)) : [...disk.blocks.values()].map(String))
  return { device: which === 'nic' ? nic : disk, emit, seen, close: async () => {
    await guest.close()
    await host.close()
  } }
}

describe.each(['nic', 'disk'] as const)('a simulated %s', (which) => {
  for (const one of deviceCases) it(one.name, () => one.run(() => deviceOf(which)))
})
