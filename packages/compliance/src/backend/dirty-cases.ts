import assert from 'node:assert/strict'
import { failsWith, type Case } from '../case.ts'
import { has, saving, topOf, type BackendBench } from './backend-bench.ts'

/** What a guest writes is known, all of it. */
export const dirtyCases: readonly Case<BackendBench>[] = [
  saving('a page written after tracking began is in the next look, and only in that one', async (guest, bench) => {
    await guest.dirty.enable()
    const written = await bench.work()
    const top = await topOf(guest, [...written, ...bench.quiet])
    await guest.lifecycle.pause()
    const first = (await guest.dirty.take(top)).bitmap.slice()
    for (const pfn of written) assert.ok(has(first, pfn), `page ${pfn} was written and is not told`)
    const second = (await guest.dirty.take(top)).bitmap.slice()
    for (const pfn of written) assert.ok(!has(second, pfn), `page ${pfn} is told again although nobody wrote it`)
    await guest.lifecycle.unpause()
  }),
  saving('pages written between two looks are in the second', async (guest, bench) => {
    await guest.dirty.enable()
    const top = await topOf(guest, [...(await bench.work()), ...bench.quiet])
    await guest.dirty.take(top)
    const written = await bench.work()
    const { bitmap } = await guest.dirty.take(top)
    for (const pfn of written) assert.ok(has(bitmap, pfn), `page ${pfn} was written and is not told`)
  }),
  saving('pages that nobody writes are not told', async (guest, bench) => {
    await guest.dirty.enable()
    const top = await topOf(guest, [...(await bench.work()), ...bench.quiet])
    const { bitmap } = await guest.dirty.take(top)
    for (const pfn of bench.quiet) assert.ok(!has(bitmap, pfn), `page ${pfn} is told although nobody wrote it`)
    assert.ok(bitmap.length >= Math.ceil(top / 8), `a bitmap of ${top} pages has ${bitmap.length} bytes`)
  }),
  saving('peeking forgets nothing', async (guest, bench) => {
    await guest.dirty.enable()
    const written = await bench.work()
    const top = await topOf(guest, [...written, ...bench.quiet])
    const peeked = (await guest.dirty.peek(top)).bitmap.slice()
    const { bitmap } = await guest.dirty.take(top)
    for (const pfn of written) assert.deepEqual([has(peeked, pfn), has(bitmap, pfn)], [true, true])
  }),
  saving('the last look, the guest standing still, has what it wrote before', async (guest, bench) => {
    await guest.dirty.enable()
    const written = await bench.work()
    await guest.lifecycle.suspend()
    const { bitmap } = await guest.dirty.take(await topOf(guest, [...written, ...bench.quiet]), 'last')
    for (const pfn of written) assert.ok(has(bitmap, pfn), `page ${pfn} was written and is not told`)
  }),
  saving('tracking can be turned off twice, and then tells nothing', async (guest, bench) => {
    const before = await bench.held()
    await guest.dirty.enable()
    assert.notDeepEqual(await bench.held(), before, 'the bench does not see that writes are tracked')
    await guest.dirty.disable()
    await guest.dirty.disable()
    assert.deepEqual(await bench.held(), before)
    await failsWith(() => guest.dirty.take(8), ['BACKEND_LOG_DIRTY'], 'a look while nothing is tracked')
  }),
  saving('tracking can begin again', async (guest, bench) => {
    await guest.dirty.enable()
    await guest.dirty.disable()
    await guest.dirty.enable()
    const written = await bench.work()
    const { bitmap } = await guest.dirty.take(await topOf(guest, [...written, ...bench.quiet]))
    for (const pfn of written) assert.ok(has(bitmap, pfn), `page ${pfn} was written and is not told`)
  }),
]
