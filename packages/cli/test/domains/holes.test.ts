import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { protect } from '../replicate/pair.ts'
import { scratch, xrJson } from '../run-xr.ts'
import { bench, imageOf, kinds, migrate, receive, restore, standing, streamIn, worked } from './bench.ts'
import { differences } from './guest-diff.ts'
import { memoryWire } from './memory-wire.ts'

const { T } = await import('@xen-replication/toolstack')

/** Up to the last page of an HVM guest there is mostly nothing: an entry of 8 bytes for each of 0xff000 pages. */
const HOLES_BYTES = 8_000_000
const never = new AbortController().signal

async function movedBytes(peer: 'xr' | 'xl', spec: (typeof kinds)[number]): Promise<number> {
  const { plugin } = memoryWire()
  const [from, to] = [await bench({ plugins: [plugin] }), await bench({ plugins: [plugin] })]
  await worked(from, spec)
  const [{ bytes }] = await Promise.all([migrate(from, { url: 'mem:', peer }), receive(to, { url: 'mem:', peer, then: 'run' })])
  expect(await standing(to)).toEqual(['demo runs'])
  return bytes
}

const hvm = kinds.filter(({ kind }) => kind !== 'pv')

describe.each(hvm)('holes in the memory of $title', (spec) => {
  it('are left out when it moves between two xr, and sent as xl does to xl', async () => {
    expect(await movedBytes('xl', spec) - (await movedBytes('xr', spec))).toBeGreaterThan(HOLES_BYTES)
  })

  it('are in an image, unless --compact leaves them out, and the guest is the same', async () => {
    const from = await bench()
    await worked(from, { ...spec, modelXenstore: [] })
    const [whole, compact] = ['whole.xl', 'compact.xl'].map((name) => join(scratch(), name)) as [string, string]
    const save = await from.stack.get(T.save)
    const { bytes: asXen } = await save({ dom: 'demo', url: `file:${whole}`, then: 'resume' }, never)
    const { bytes } = await save({ dom: 'demo', url: `file:${compact}`, then: 'pause', compact: true }, never)
    expect(asXen - bytes).toBeGreaterThan(HOLES_BYTES)
    const { document } = await xrJson('verify', '--data', compact)
    expect(document).toMatchObject({ files: [{ verdict: { strict: 'accept', xen: 'accept', verifier: 'accept' }, findings: [] }] })
    const to = await bench()
    const there = await restore(to, `file:${compact}`)
    expect(await differences(spec.kind, streamIn(readFileSync(compact)), await imageOf(to, there.domId))).toEqual([expect.stringMatching(/^record .*PAGE_DATA/)]) // fewer of them, and no page differs
    expect(streamIn(readFileSync(whole)).length - streamIn(readFileSync(compact)).length).toBe(asXen - bytes)
  })
})

describe('holes in the memory of a guest that is protected', () => {
  it('are never sent to an xr, and the backup is the guest', async () => {
    const { sent, backup, primary } = await protect({
      guest: { kind: 'pvh' }, then: 'run',
      see: (event, who, pair) => who === 'primary' && event.kind === 'epoch.acknowledged' && event.data.epoch === 3 && pair.primary.ask('failover'),
    })
    expect(sent).toMatchObject({ outcome: 'handed-over' })
    const first = primary.seen.find((event) => event.kind === 'save.pass-end')
    expect(first?.data.bytes).toBeGreaterThan(4 * 2 ** 20 * 0.9)
    expect(first?.data.bytes).toBeLessThan(HOLES_BYTES)
    expect((await backup.host.list()).map(({ name }) => name)).toEqual(['demo'])
  })
})
