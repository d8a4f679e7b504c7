import { workloads } from '@xen-replication/backend-mock'
import { ByteReader, sourceOfBytes, verify } from '@xen-replication/format'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bench, kinds, restore, standing, worked } from '../domains/bench.ts'
import { differences } from '../domains/guest-diff.ts'
import { scratch } from '../run-xr.ts'
import { imageOf, streamOf, xlFileOf } from './streams.ts'
import { hasVerifier, objections } from './verifier.ts'

/** More of them for a longer sweep: `XR_PROOF_SEEDS=20`. */
const seeds = Array.from({ length: Number(process.env['XR_PROOF_SEEDS'] ?? 1) }, (_, seed) => seed)

const judges = hasVerifier ? 'all judges and Xen’s verifier' : 'all judges (Xen’s verifier is not here)'
const cases = (['stopped', 'live'] as const).flatMap((mode) => workloads.flatMap((workload) => seeds.map((seed) => ({ mode, workload, seed }))))

/** Everything that is saved of guests of one kind: judged by all who judge, restored, and compared. */
export function provesMatrix(spec: (typeof kinds)[number]): void {
  describe(spec.title, () => {
    it.each(cases)(`saved $mode ($workload, seed $seed) is accepted by ${judges}, and restored it is what it was`, async ({ mode, workload, seed }) => {
      const [from, to] = [await bench(), await bench()]
      const domId = await worked(from, { ...spec, modelXenstore: [], workload, seed, tablesEvery: 20 })
      const stream = await streamOf(from.host, domId, mode)
      const file = join(scratch(), 'demo.xl')
      writeFileSync(file, xlFileOf(stream, await from.host.config(domId)))

      const { findings, verdict } = await verify(new ByteReader(sourceOfBytes(stream)), { format: 'libxl' })
      expect({ findings, verdict }).toEqual({ findings: [], verdict: { strict: 'accept', xen: 'accept', verifier: 'accept' } })
      if (hasVerifier) expect(await objections(file, 'xl')).toBe('')

      const before = await imageOf(from.host, domId)
      const restored = await restore(to, `file:${file}`, spec.kind === 'pv' ? 'run' : 'stay-paused')
      expect(await standing(to)).toEqual([spec.kind === 'pv' ? 'demo runs' : 'demo paused'])
      if (spec.kind === 'pv') await to.host.lifecycle(restored.domId).suspend() // its kernel finds its memory again, and does nothing else meanwhile
      expect(await differences(spec.kind, before, await imageOf(to.host, restored.domId))).toEqual([])
    })
  })
}
