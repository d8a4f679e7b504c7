import { workloads } from '@xen-replication/backend-mock'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { scratch, xrJson } from '../run-xr.ts'
import { bench, imageOf, kinds, restore, save, standing, streamIn, worked } from './bench.ts'
import { differences } from './guest-diff.ts'

describe.each(kinds)('$title', (spec) => {
  it.each(workloads.map((workload, seed) => ({ workload, seed })))('is after save and restore what it was: $workload, seed $seed', async (work) => {
    const [from, to] = [await bench(), await bench()]
    await worked(from, { ...spec, ...work })
    const file = join(scratch(), 'demo.xl')
    await save(from, `file:${file}`)
    const { domId } = await restore(to, `file:${file}`, spec.kind === 'pv' ? 'run' : 'stay-paused')
    if (spec.kind === 'pv') await to.host.lifecycle(domId).suspend() // its kernel finds its memory again, and does nothing else meanwhile
    expect(await differences(spec.kind, streamIn(readFileSync(file)), await imageOf(to, domId))).toEqual([])
  })

  it('makes an image that all three judges accept', async () => {
    const from = await bench()
    await worked(from, { ...spec, modelXenstore: [] }) // with which the verifier has a trouble of its own
    const file = join(scratch(), 'demo.xl')
    await save(from, `file:${file}`)
    const { document, exit } = await xrJson('verify', '--data', file)
    expect(document).toMatchObject({ files: [{ format: 'xl', verdict: { strict: 'accept', xen: 'accept', verifier: 'accept' }, findings: [] }] })
    expect(exit).toBe(0)
  })

  it('is gone after it was saved, or runs on, or stays paused, as was asked', async () => {
    for (const [then, stands] of [['destroy', []], ['resume', ['demo runs']], ['pause', ['demo paused']]] as const) {
      const from = await bench()
      await worked(from, spec)
      const { bytes, guest } = await save(from, `file:${join(scratch(), 'x')}`, then)
      expect(guest).toBe('demo')
      expect(bytes).toBeGreaterThan(4 << 20)
      expect(await standing(from)).toEqual(stands)
      if (then !== 'pause') expect(from.host.leaks()).toEqual([])
    }
  })

  it('works on after it was restored', async () => {
    const [from, to] = [await bench(), await bench()]
    await worked(from, spec)
    const file = join(scratch(), 'demo.xl')
    await save(from, `file:${file}`)
    const { domId } = await restore(to, `file:${file}`, 'run')
    const before = await to.host.inspect(domId, ({ ops }) => ops)
    await to.host.advance(1000)
    expect(await to.host.inspect(domId, ({ ops, crash, returned }) => ({ worked: ops > before, crash, resumed: returned.resumed }))).toEqual({ worked: true, crash: undefined, resumed: 1 })
    expect(to.host.leaks()).toEqual([])
  })

  const saving = ['config', 'openForSave', 'types', 'map:1', 'map:2', 'tsc', 'policy', 'suspend', 'resume', 'destroy', ...{ pv: ['pvVcpu:1', 'pvVcpu:2'], pvh: ['frames', 'hvmContext', 'hvmParam'], hvm: ['frames', 'hvmContext', 'hvmParam:4', 'model.logDirty:1', 'model.state', 'model.xenstore'] }[spec.kind]]
  it.each(saving)('runs on when saving fails at %s, and nothing is left', async (call) => {
    const from = await bench({ faults: `${call}=fail` })
    await worked(from, spec)
    const folder = scratch()
    const resuming = call === 'resume'
    await expect(save(from, `file:${join(folder, 'demo.xl')}`, resuming ? 'resume' : 'destroy')).rejects.toMatchObject({ message: expect.stringContaining('as planned') as string })
    expect(await standing(from)).toEqual([resuming ? 'demo suspend' : 'demo runs'])
    if (!resuming) expect(from.host.leaks()).toEqual([])
    expect(readdirSync(folder).filter((name) => name !== 'demo.xl' || !['resume', 'destroy'].includes(call))).toEqual([]) // there the image is whole already
  })

  const restoring = ['openForRestore', 'populate:1', 'populate:2', 'map:1', 'map:3', 'setTsc', 'setPolicy', 'complete', 'unpause', ...{ pv: ['sharedInfoFrame', 'pin', 'setPvVcpu:1', 'setPvVcpu:3'], pvh: ['setHvmContext', 'setHvmParam:1'], hvm: ['setHvmContext', 'setHvmParam:2', 'model.setState', 'model.setXenstore'] }[spec.kind]]
  it('is not there when restoring fails, wherever that is', async () => {
    const from = await bench()
    await worked(from, spec)
    const file = join(scratch(), 'demo.xl')
    await save(from, `file:${file}`)
    for (const call of restoring) {
      const to = await bench({ faults: `${call}=fail` })
      await expect(restore(to, `file:${file}`, 'run'), call).rejects.toMatchObject({ message: expect.stringContaining('as planned') as string })
      expect([call, await standing(to), to.host.leaks()]).toEqual([call, [], []])
    }
  })

  it('is not there when the image ends too early, wherever that is', async () => {
    const from = await bench()
    await worked(from, spec)
    const file = join(scratch(), 'demo.xl')
    await save(from, `file:${file}`)
    const whole = readFileSync(file)
    const { records } = (await xrJson('records', file)).document as { readonly records: readonly { readonly offset: number }[] }
    const places = records.map(({ offset }) => offset).filter((offset) => offset < whole.length)
    for (const cut of [...places.slice(0, 8), ...places.slice(-8), ...places.slice(-6).map((offset) => offset + 5), whole.length - 1]) {
      writeFileSync(file, whole.subarray(0, cut))
      const to = await bench()
      await expect(restore(to, `file:${file}`), `cut at ${cut}`).rejects.toMatchObject({ code: expect.stringMatching(/^(XC|XL2?|TOOL_IMAGE)/) as string })
      expect([await standing(to), to.host.leaks()]).toEqual([[], []])
    }
  })
})
