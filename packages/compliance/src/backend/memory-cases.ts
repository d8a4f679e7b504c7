import assert from 'node:assert/strict'
import { failsWith, type Case } from '../case.ts'
import { contents, differs, PAGE, saving, XTAB, type BackendBench } from './backend-bench.ts'

/** No guest has a frame there. */
const BEYOND = 2 ** 36 - 1

async function quietFrames({ quiet, frameOf }: BackendBench): Promise<number[]> {
  return Promise.all(quiet.slice(0, 3).map((pfn) => frameOf(pfn)))
}

/** Memory as the saver sees it. */
export const memoryCases: readonly Case<BackendBench>[] = [
  saving('types come in the order of the frames, and a frame of nobody has none', async (guest, bench) => {
    const [a, b] = await quietFrames(bench)
    const types = await guest.memory.types(Float64Array.of(a ?? 0, BEYOND, b ?? 0))
    assert.equal(types.length, 3)
    assert.deepEqual([types[0] === XTAB, types[1], types[2] === XTAB], [false, XTAB, false])
  }),
  saving('types of a thousand frames can be asked for at once, not of more than 1024', async (guest, bench) => {
    const [a] = await quietFrames(bench)
    assert.equal((await guest.memory.types(new Float64Array(1024).fill(a ?? 0))).length, 1024)
    await failsWith(() => guest.memory.types(new Float64Array(1025).fill(a ?? 0)), ['BACKEND_MEMORY'], 'types of 1025 frames')
  }),
  saving('mapped frames come in the order they were asked for', async (guest, bench) => {
    const frames = await quietFrames(bench)
    const [forward, backward] = [await contents(guest, frames), await contents(guest, frames.toReversed())]
    assert.ok(differs(forward[0], forward[1]), 'two different pages are the same')
    for (const [i, page] of backward.entries()) assert.ok(!differs(page, forward[forward.length - 1 - i]), `frame ${i} of the reversed list is another page`)
  }),
  saving('views and single pages of a mapping are the same bytes', async (guest, bench) => {
    const frames = await quietFrames(bench)
    const mapped = await guest.memory.map(frames)
    try {
      assert.equal(mapped.count, frames.length)
      assert.ok(mapped.views.every(({ length }) => length > 0 && length % PAGE === 0), 'views are of whole pages')
      const pages = mapped.views.flatMap((view) => Array.from({ length: view.length / PAGE }, (_, i) => view.subarray(i * PAGE, (i + 1) * PAGE)))
      assert.equal(pages.length, frames.length, 'views hold as many pages as were asked for')
      for (const [i, page] of pages.entries()) {
        assert.equal(mapped.page(i).length, PAGE)
        assert.ok(!differs(mapped.page(i), page), `page ${i} is not the ${i}th of the views`)
      }
    } finally {
      mapped.close()
    }
  }),
  saving('one bad frame fails the whole mapping, and nothing stays mapped', async (guest, bench) => {
    const [a] = await quietFrames(bench)
    const before = await bench.held()
    await failsWith(() => guest.memory.map([a ?? 0, BEYOND]), ['BACKEND_MAP'], 'mapping a frame of nobody')
    assert.deepEqual(await bench.held(), before)
  }),
  saving('a mapping shows what the guest goes on writing', async (guest, bench) => {
    const [written] = await bench.work()
    assert.ok(written !== undefined, 'the guest of the bench writes nothing')
    const mapped = await guest.memory.map([await bench.frameOf(written)])
    try {
      const before = mapped.page(0).slice()
      await bench.work()
      assert.ok(differs(mapped.page(0), before), 'the page looks as it did before the guest wrote it')
    } finally {
      mapped.close()
    }
  }),
  saving('a mapping is given back once it is closed, and may be closed twice', async (guest, bench) => {
    const before = await bench.held()
    const mapped = await guest.memory.map(await quietFrames(bench))
    assert.notDeepEqual(await bench.held(), before, 'the bench does not see that something is mapped')
    mapped.close()
    mapped.close()
    assert.deepEqual(await bench.held(), before)
  }),
  saving('the machine knows whose page a frame of a PV guest is', async ({ pv, facts, memory }, bench) => {
    assert.equal(pv === undefined, facts.kind !== 'pv', 'PV guests have a PV view, others have none')
    if (pv === undefined) return
    for (const pfn of bench.quiet) assert.equal(pv.machine.pfn(await bench.frameOf(pfn)), pfn)
    assert.ok((await quietFrames(bench)).every((frame) => frame <= pv.machine.maxMfn), 'a frame lies above the highest one of the host')
    const mapped = await memory.map([pv.sharedInfoFrame])
    mapped.close()
  }),
]
