import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bench, kinds, worked } from '../domains/bench.ts'
import { fileOf, xrJson } from '../run-xr.ts'
import { streamOf, xlFileOf } from './streams.ts'
import type { Cut, Way } from './cut-wire.ts'
import { moved, outcome, requireOneGuest, type Move } from './cuts.ts'

const kindOf = (title: string): Move['spec'] => kinds.find((kind) => kind.title === title) as Move['spec']
const PV64 = kindOf('a 64-bit PV guest')
const PV32 = kindOf('a 32-bit PV guest')
const HVM = kindOf('an HVM guest')
const ways = ['there', 'back'] as const
const fates = ['arrives', 'is lost'] as const
const everyCut = ways.flatMap((way) => fates.map((last) => ({ way, last })))

/** Cuts behind every frame in turn, until there is none left to cut behind. @returns how each of the migrations ended for its sender */
async function behindEveryFrame(move: Omit<Move, 'cut'>, { way, last }: Pick<Cut, 'way' | 'last'>): Promise<readonly string[]> {
  const ends: string[] = []
  for (let behind = 1; ; behind += 1) {
    const run = await moved({ ...move, cut: { way, unit: 'frames', behind, last } })
    if (!run.wire.isCut()) return ends
    await requireOneGuest(run)
    ends.push(outcome(run.sent))
  }
}

describe.each(everyCut)('between two xr, a link cut behind every frame that goes $way, when the last $last', (cut) => {
  it.each([{ ...PV64, mode: 'live' as const }, { ...PV32, mode: 'stopped' as const }])('leaves one guest that runs, or one that stands and says so: $title, $mode', async ({ mode, ...spec }) => {
    const ends = await behindEveryFrame({ peer: 'xr', spec, mode }, cut)
    expect(ends.length).toBeGreaterThan(4)
    expect(ends).toEqual(expect.arrayContaining(['LINK_LOST', 'SESSION_UNDECIDED']))
  })

  it.each([0, 0.3, 0.6, 0.9])('does not keep a guest from moving when another link can be made, %f of the way', async (part) => {
    const move = { peer: 'xr', spec: PV64, mode: 'live', waitMs: 20_000 } as const
    const { frames } = (await moved(move)).wire.sent[cut.way]
    const run = await moved({ ...move, cut: { ...cut, unit: 'frames', behind: Math.max(2, Math.floor(frames * part)) } }) // behind the first nobody is greeted yet
    expect([outcome(run.sent), outcome(run.received)]).toEqual(['done', 'done'])
    await requireOneGuest(run)
  })
})

/** Where records of an `xl` stream begin, and the places after the last, byte by byte. */
async function places(spec: Move['spec'], way: Way): Promise<readonly number[]> {
  const { wire } = await moved({ peer: 'xl', spec, mode: 'stopped' })
  const { bytes } = wire.sent[way]
  if (way === 'back') return Array.from({ length: bytes }, (_, i) => i + 1)
  const from = await bench()
  const domId = await worked(from, { ...spec, memoryBytes: 4 << 20, workload: 'zipf' })
  const file = xlFileOf(await streamOf(from.host, domId, 'stopped'), await from.host.config(domId))
  const { records } = (await xrJson('records', fileOf(file))).document as { readonly records: readonly { readonly offset: number }[] }
  return [...records.map(({ offset }) => offset).filter((offset) => offset > 0), ...Array.from({ length: bytes - file.length + 1 }, (_, i) => file.length + i)]
}

describe.each(ways)('between xr and xl, a link cut behind every record and every byte of the words around them that go %s', (way) => {
  it.each([PV64, HVM])('leaves one guest that runs, or one that stands and says so: $title', async (spec) => {
    const ends = new Set<string>()
    const all = await places(spec, way)
    const some = spec === HVM ? all.filter((_, i) => i % 64 === 0 || i > all.length - 8) : all // most records of HVM guests are those of holes
    for (const [i, behind] of some.entries()) {
      const run = await moved({ peer: 'xl', spec, mode: 'stopped', cut: { way, unit: 'bytes', behind, last: i % 2 === 0 ? 'arrives' : 'is lost' } })
      expect(run.wire.isCut()).toBe(true)
      await requireOneGuest(run)
      ends.add(outcome(run.sent))
    }
    expect([...ends]).toEqual(expect.arrayContaining(['LINK_LOST', 'SESSION_UNDECIDED']))
  })
})

it('a link cut anywhere leaves one guest that runs, or one that stands and says so', async () => {
  const length = new Map<string, number>()
  await fc.assert(fc.asyncProperty(
    fc.constantFrom(...kinds), fc.constantFrom('xr' as const, 'xl' as const), fc.constantFrom('live' as const, 'stopped' as const), fc.constantFrom(...ways), fc.constantFrom(...fates), fc.double({ min: 0, max: 1, noNaN: true }),
    async (spec, peer, mode, way, last, part) => {
      const key = [spec.title, peer, mode, way].join()
      if (!length.has(key)) length.set(key, (await moved({ peer, spec, mode })).wire.sent[way].bytes)
      const behind = Math.max(1, Math.floor((length.get(key) ?? 1) * part))
      await requireOneGuest(await moved({ peer, spec, mode, cut: { way, unit: 'bytes', behind, last } }))
    },
  ), { numRuns: Number(process.env['XR_PROOF_RUNS'] ?? 40) })
})
