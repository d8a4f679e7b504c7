import { createMockHost, virtualClock, type GuestSpec, type MockHost } from '@xen-replication/backend-mock'
import { ByteReader, sourceOfBytes, verify } from '@xen-replication/format'
import type { DomId, GuestKind } from '@xen-replication/hypervisor'
import { openStreamRestorer, readStream } from '@xen-replication/libxl-stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bench, kinds, worked } from '../domains/bench.ts'
import { differences } from '../domains/guest-diff.ts'
import { fileOf, xr, xrJson } from '../run-xr.ts'
import { checkpointsOf, imageOf, type Checkpoints } from './streams.ts'
import { hasVerifier, objections } from './verifier.ts'

const COUNT = 4

interface Made extends Checkpoints {
  readonly config: string
}

async function made(spec: Omit<GuestSpec, 'name'>, holes: 'as-xen' | 'left-out' = 'left-out'): Promise<Made> {
  const from = await bench()
  const domId = await worked(from, { ...spec, modelXenstore: [], memoryBytes: 4 << 20, tablesEvery: 20 })
  const checkpoints = await checkpointsOf(from.host, domId, COUNT, holes)
  expect(from.host.leaks()).toEqual([{ domId, what: 'suspended', count: 1 }])
  return { ...checkpoints, config: await from.host.config(domId) }
}

/** A host to which this much of a stream of checkpoints came, and the guest that took over there, if there is one. */
async function failedOver(kind: GuestKind, { stream, config }: Made, length: number): Promise<{ readonly host: MockHost; readonly epochs: number; readonly domId?: DomId }> {
  const host = createMockHost({ clock: virtualClock() })
  const guest = await host.openForRestore({ kind, name: 'demo', config })
  const restorer = openStreamRestorer(new ByteReader(sourceOfBytes(stream.slice(0, length))), guest, { streamType: 'remus' })
  const stop = await readStream(restorer)
  if (stop.why === 'end') throw new Error('a stream of checkpoints has no end')
  if (stop.why === 'lost') return { host, epochs: 0 }
  await restorer.complete()
  await guest.close()
  return { host, epochs: stop.epochs, domId: guest.facts.domId }
}

describe.each(kinds)('checkpoints of $title', (spec) => {
  it.each(['database'] as const)('are accepted by Xen, and by its verifier once the last is made a plain image: %s', async (workload) => {
    const { stream } = await made({ ...spec, workload }, 'as-xen')
    const file = fileOf(stream)
    const { findings, verdict } = await verify(new ByteReader(sourceOfBytes(stream)), { format: 'libxl', streamType: 'remus' })
    expect(findings.filter(({ strict, xen }) => strict === 'reject' || xen === 'reject')).toEqual([])
    expect(verdict).toMatchObject({ strict: 'accept', xen: 'accept' })
    expect(await xr(['repair', file, `${file}.plain`])).toMatchObject({ exit: 0 })
    expect((await xrJson('verify', `${file}.plain`)).document).toMatchObject({ files: [{ verdict: { strict: 'accept', xen: 'accept', verifier: 'accept' } }] })
    if (hasVerifier) expect(await objections(`${file}.plain`, 'libxl')).toBe('')
  })

  it.each(['database', 'zipf'] as const)('lead to the guest as it was at the last that came whole: %s', async (workload) => {
    const all = await made({ ...spec, workload })
    for (const [i, end] of all.ends.entries()) {
      const { host, epochs, domId } = await failedOver(spec.kind, all, i === COUNT - 1 ? end : end + 100)
      expect(epochs).toBe(i + 1)
      if (domId === undefined) throw new Error('nobody took over')
      if (spec.kind === 'pv') await host.lifecycle(domId).unpause()
      if (spec.kind === 'pv') await host.lifecycle(domId).suspend() // its kernel finds its memory again
      expect(await differences(spec.kind, all.images[i] as Uint8Array, await imageOf(host, domId)), `checkpoint ${i}`).toEqual([])
    }
  })

  it('lead to the last that came whole wherever the stream ends, or to nothing, and then nothing is left', async () => {
    const all = await made({ ...spec, workload: 'database' })
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: all.stream.length }), async (length) => {
      const { host, epochs, domId } = await failedOver(spec.kind, all, length)
      expect(epochs).toBe(all.ends.filter((end) => end <= length).length)
      if (domId === undefined) expect([await host.list(), host.leaks()]).toEqual([[], []])
      else {
        await host.lifecycle(domId).unpause()
        await host.advance(50)
        expect(await host.inspect(domId, ({ crash }) => crash)).toBeUndefined()
        expect(host.leaks()).toEqual([])
      }
    }), { numRuns: 25 })
  })
})
