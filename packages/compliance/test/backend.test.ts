import { backendCases, type BackendBench } from '@xen-replication/compliance'
import type { DomId, GuestKind } from '@xen-replication/hypervisor'
import { describe, expect, it } from 'vitest'
import { WRITTEN } from './tiny/tiny-guest.ts'
import { TinyHost } from './tiny/tiny-host.ts'

function benchOf(kind: GuestKind, fault = ''): () => Promise<BackendBench> {
  return () => {
    const backend = new TinyHost(kind, fault)
    const domId = 1 as DomId
    return Promise.resolve({
      backend,
      domId,
      quiet: [20, 21, 22],
      work: () => Promise.resolve((backend.pass(), WRITTEN)),
      frameOf: (pfn) => Promise.resolve(backend.guest(domId).frame(pfn)),
      request: (name) => ({ name, kind, config: '{}' }),
      held: () => Promise.resolve([...backend.held].map(([what, count]) => `${what} ${count}`)),
      close: () => Promise.resolve(),
    })
  }
}

describe.each(['pv', 'pvh', 'hvm'] as const)('a small host that keeps its promises, %s', (kind) => {
  for (const one of backendCases(kind)) it(one.name, () => one.run(benchOf(kind)))
})

/** For each case a way to break it. */
const mutants: Readonly<Record<string, string>> = {
  'the list shows a running guest with what it is': 'list-paused',
  'a guest that does not exist is refused as such': 'vague-missing',
  'the configuration of a guest is JSON': 'config-text',
  'a guest goes by its new name once it is renamed': 'rename-nothing',
  'two guests cannot have one name': 'same-name',
  'making guests works where it is said to, and is refused elsewhere': 'create-unsaid create-refused',
  'time only moves forward': 'clock-back',
  'types come in the order of the frames, and a frame of nobody has none': 'types-all-there',
  'types of a thousand frames can be asked for at once, not of more than 1024': 'types-unlimited',
  'mapped frames come in the order they were asked for': 'map-sorted',
  'views and single pages of a mapping are the same bytes': 'views-short',
  'one bad frame fails the whole mapping, and nothing stays mapped': 'map-holes',
  'a mapping shows what the guest goes on writing': 'map-copies',
  'a mapping is given back once it is closed, and may be closed twice': 'map-leaks',
  'the machine knows whose page a frame of a PV guest is': 'm2p-wrong',
  'a page written after tracking began is in the next look, and only in that one': 'dirty-sticky',
  'pages written between two looks are in the second': 'dirty-once',
  'pages that nobody writes are not told': 'dirty-all',
  'peeking forgets nothing': 'peek-clears',
  'the last look, the guest standing still, has what it wrote before': 'last-empty',
  'tracking can be turned off twice, and then tells nothing': 'dirty-without disable-leaks',
  'tracking can begin again': 'enable-once',
  'a suspended guest stands still, and suspending it again changes nothing': 'suspend-runs',
  'a suspended guest goes on, whether suspending was cancelled or is over, and being told twice does no harm': 'resume-nothing',
  'a paused guest stands still until it is unpaused, however often it is told': 'pause-runs',
  'a guest that is destroyed is gone, and destroying it again does no harm': 'destroy-stays',
  'closing gives everything back, and may be done twice': 'close-leaks',
  'a guest that was closed can be opened again, not used': 'use-closed',
  'time stamp counter and CPU policy can be read': 'policy-odd',
  'the state of the CPUs is the same each time it is read': 'context-changes',
  'the state of the CPUs that was read does not change when the guest goes on': 'context-live',
  'an HVM parameter that nobody set is 0': 'param-made-up',
  'an HVM guest has a device model whose state is known by its first bytes, others have none': 'model-junk',
  'the device model can be told twice to report its writes, and not to': 'model-log-leaks',
  'a guest to be restored is there, paused and under its name': 'restore-running',
  'every page that is populated is memory of its own': 'populate-shared',
  'pages can be populated in several calls': 'populate-forgets',
  'a run of 2 MiB is 512 frames side by side, or cannot be had': 'run-short',
  'frames of nobody cannot be mapped for writing': 'restore-map-holes',
  'a guest that is not complete vanishes when it is closed, with all it held': 'close-keeps',
  'a complete guest stays when it is closed, paused until told otherwise': 'complete-lost complete-runs',
  'a guest that was closed cannot be written any more': 'restore-use-closed',
  'what is set of the time stamp counter is what a saver reads': 'tsc-dropped',
  'CPU state that makes no sense is refused': 'junk-taken',
  'the width of a PV guest is what it was set to, or is refused': 'width-stuck',
  'the shared page of a PV guest can be written': 'shared-page-lost',
  'the machine knows whose page a new frame is': 'new-m2p-wrong',
  'a page becomes a page table only when it is one': 'pin-anything',
  'a guest carried over through the ports is the same guest': 'context-dropped',
}

describe('a host that breaks a promise is caught', () => {
  const all = (['pv', 'hvm'] as const).flatMap((kind) => backendCases(kind).map((one) => ({ kind, one })))
  it.each(Object.entries(mutants).flatMap(([name, faults]) => faults.split(' ').map((fault) => [fault, name] as const)))('%s by: %s', async (fault, name) => {
    const outcomes = await Promise.allSettled(all.filter(({ one }) => one.name === name).map(({ kind, one }) => one.run(benchOf(kind, fault))))
    expect(outcomes.map(({ status }) => status)).toContain('rejected')
  })

  it('whichever it is', () => expect(new Set(all.map(({ one }) => one.name))).toEqual(new Set(Object.keys(mutants))))

  it('and one that cannot track writes is not asked to', () => {
    expect(backendCases('pv', { logDirty: 'no' }).length).toBe(backendCases('pv').length - 7)
  })
})
