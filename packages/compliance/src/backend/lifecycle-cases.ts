import type { GuestForSave } from '@xen-replication/hypervisor'
import assert from 'node:assert/strict'
import { check, failsWith, type Case } from '../case.ts'
import { contents, differs, saving, type BackendBench } from './backend-bench.ts'

/** Whether the guest changes its memory when time passes. */
async function runs(guest: GuestForSave, bench: BackendBench): Promise<boolean> {
  const watched = await bench.work()
  const frames = await Promise.all(watched.map((pfn) => bench.frameOf(pfn)))
  const before = await contents(guest, frames)
  await bench.work()
  const after = await contents(guest, frames)
  return after.some((page, i) => differs(page, before[i]))
}

/** A guest stands and goes as it is told. */
export const lifecycleCases: readonly Case<BackendBench>[] = [
  saving('a suspended guest stands still, and suspending it again changes nothing', async (guest, bench) => {
    assert.ok(await runs(guest, bench), 'the guest of the bench does not run')
    for (let times = 0; times < 2; times++) {
      await guest.lifecycle.suspend()
      assert.equal((await guest.lifecycle.state()).shutdown, 'suspend')
      assert.ok(!(await runs(guest, bench)), 'it writes memory')
    }
  }),
  saving('a suspended guest goes on, whether suspending was cancelled or is over, and being told twice does no harm', async (guest, bench) => {
    for (const how of bench.goesOn ?? (['cancelled', 'resumed'] as const)) {
      await guest.lifecycle.suspend()
      await guest.lifecycle.resume(how)
      await guest.lifecycle.resume(how)
      assert.equal((await guest.lifecycle.state()).shutdown, undefined)
      assert.ok(await runs(guest, bench), `it does not run after resume(${how})`)
    }
  }),
  saving('a paused guest stands still until it is unpaused, however often it is told', async (guest, bench) => {
    await guest.lifecycle.pause()
    await guest.lifecycle.pause()
    assert.deepEqual(await guest.lifecycle.state(), { dying: false, paused: true, shutdown: undefined })
    assert.ok(!(await runs(guest, bench)), 'it writes memory')
    await guest.lifecycle.unpause()
    await guest.lifecycle.unpause()
    assert.equal((await guest.lifecycle.state()).paused, false)
    assert.ok(await runs(guest, bench), 'it does not run')
  }),
  check('a guest that is destroyed is gone, and destroying it again does no harm', async ({ backend, domId }) => {
    const lifecycle = backend.lifecycle(domId)
    await lifecycle.destroy()
    await lifecycle.destroy()
    assert.ok(!(await backend.list()).some((one) => one.domId === domId && !one.dying), 'it is in the list')
    await failsWith(() => backend.openForSave(domId), ['BACKEND_NO_SUCH_DOMAIN'], 'openForSave()')
  }),
  check('closing gives everything back, and may be done twice', async (bench) => {
    const before = await bench.held()
    const guest = await bench.backend.openForSave(bench.domId)
    if (bench.backend.capabilities.has(guest.facts.kind === 'pv' ? 'log-dirty-pv' : 'log-dirty-hvm')) await guest.dirty.enable()
    await guest.deviceModel?.logDirty('on')
    await guest.memory.map([await bench.frameOf(bench.quiet[0] ?? 0)])
    assert.notDeepEqual(await bench.held(), before)
    await guest.close()
    await guest.close()
    assert.deepEqual(await bench.held(), before)
    assert.ok((await bench.backend.list()).some((one) => one.domId === bench.domId && one.shutdown === undefined && !one.paused), 'the guest does not run on')
  }),
  check('a guest that was closed can be opened again, not used', async ({ backend, domId, frameOf, quiet }) => {
    const first = await backend.openForSave(domId)
    await first.close()
    await failsWith(async () => first.memory.map([await frameOf(quiet[0] ?? 0)]), ['BACKEND_STATE'], 'mapping after close()')
    const second = await backend.openForSave(domId)
    await contents(second, [await frameOf(quiet[0] ?? 0)])
    await second.close()
  }),
]
