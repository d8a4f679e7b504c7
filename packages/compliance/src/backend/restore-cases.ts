import type { GuestForRestore } from '@xen-replication/hypervisor'
import assert from 'node:assert/strict'
import { check, failsWith, type Case } from '../case.ts'
import { contents, differs, PAGE, restoring, type BackendBench } from './backend-bench.ts'

const SOME = [3, 7, 5] as const
const RUN_PFN = 1024
const RUN_PAGES = 512

async function populated(guest: GuestForRestore, pfns: readonly number[]): Promise<number[]> {
  const frames = await guest.memory.populate(pfns, 0)
  assert.ok(frames !== undefined, 'single pages cannot be had')
  assert.equal(frames.length, pfns.length)
  return [...frames]
}

async function fill(guest: GuestForRestore, frames: readonly number[], value: (i: number) => number): Promise<void> {
  const mapped = await guest.memory.map(frames)
  for (let i = 0; i < frames.length; i++) mapped.page(i).fill(value(i))
  mapped.close()
}

/** Completes with the first two pages as rings, and where there is a device model with the state of the other guest's. */
async function complete(guest: GuestForRestore, { backend, domId }: BackendBench): Promise<void> {
  if (guest.deviceModel !== undefined) {
    const other = await backend.openForSave(domId)
    await other.lifecycle.suspend()
    await guest.deviceModel.setState((await other.deviceModel?.state()) ?? new Uint8Array(0))
    await other.lifecycle.resume('cancelled')
    await other.close()
  }
  const [store, console] = await populated(guest, [1, 2])
  await guest.complete({ store: store ?? 0, console: console ?? 0 })
}

/** Guests that are built. */
export const restoreCases: readonly Case<BackendBench>[] = [
  restoring('a guest to be restored is there, paused and under its name', async (guest, { backend }) => {
    assert.equal((await guest.lifecycle.state()).paused, true)
    const line = (await backend.list()).find((one) => one.domId === guest.facts.domId)
    assert.deepEqual([line?.name, line?.paused, line?.kind], ['incoming', true, guest.facts.kind])
    assert.ok(guest.rings.store.port > 0 && guest.rings.console.port > 0, 'rings have event channels')
    assert.deepEqual([guest.pv !== undefined, guest.deviceModel !== undefined], [guest.facts.kind === 'pv', guest.facts.kind === 'hvm'])
  }),
  restoring('every page that is populated is memory of its own', async (guest) => {
    const frames = await populated(guest, SOME)
    if (guest.facts.kind !== 'pv') assert.deepEqual(frames, [...SOME], 'frames of an HVM guest are its pfns')
    assert.equal(new Set(frames).size, SOME.length, 'two pfns have one frame')
    await fill(guest, frames, (i) => i + 1)
    const pages = await contents(guest, frames.toReversed())
    for (const [i, page] of pages.entries()) assert.ok(page.length === PAGE && page.every((byte) => byte === SOME.length - i), `page ${SOME.length - 1 - i} holds something else than was written`)
  }),
  restoring('pages can be populated in several calls', async (guest) => {
    const first = await populated(guest, [10, 11])
    await fill(guest, first, () => 1)
    const second = await populated(guest, [12])
    await fill(guest, second, () => 2)
    const pages = await contents(guest, [...first, ...second])
    assert.deepEqual(pages.map((page) => page[0]), [1, 1, 2])
  }),
  restoring('a run of 2 MiB is 512 frames side by side, or cannot be had', async (guest) => {
    const runs = await guest.memory.populate([RUN_PFN], 9)
    if (runs === undefined) return void (await populated(guest, [RUN_PFN]))
    assert.equal(runs.length, 1)
    const frames = Array.from({ length: RUN_PAGES }, (_, i) => (runs[0] ?? 0) + i)
    if (guest.facts.kind !== 'pv') assert.equal(runs[0], RUN_PFN)
    await fill(guest, frames, (i) => i & 0xff)
    const pages = await contents(guest, frames)
    assert.ok(pages.every((page, i) => page[PAGE - 1] === (i & 0xff)))
  }),
  restoring('frames of nobody cannot be mapped for writing', async (guest) => {
    const [frame] = await populated(guest, [3])
    await failsWith(() => guest.memory.map([frame ?? 0, 2 ** 36 - 1]), ['BACKEND_MAP'], 'mapping a frame of nobody')
  }),
  check('a guest that is not complete vanishes when it is closed, with all it held', async (bench) => {
    const before = await bench.held()
    const guest = await bench.backend.openForRestore(bench.request('incoming'))
    await guest.memory.map(await populated(guest, SOME))
    await guest.close()
    await guest.close()
    assert.deepEqual(await bench.held(), before)
    assert.ok(!(await bench.backend.list()).some((one) => one.name === 'incoming' && !one.dying), 'it is in the list')
    const again = await bench.backend.openForRestore(bench.request('incoming'))
    await again.close()
  }),
  check('a complete guest stays when it is closed, paused until told otherwise', async (bench) => {
    const before = await bench.held()
    const guest = await bench.backend.openForRestore(bench.request('incoming'))
    const { domId } = guest.facts
    await complete(guest, bench)
    await guest.close()
    await guest.close()
    const line = (await bench.backend.list()).find((one) => one.domId === domId)
    assert.deepEqual([line?.name, line?.paused, line?.shutdown], ['incoming', true, undefined])
    const lifecycle = bench.backend.lifecycle(domId)
    await lifecycle.destroy()
    assert.deepEqual(await bench.held(), before)
  }),
  check('a guest that was closed cannot be written any more', async (bench) => {
    const guest = await bench.backend.openForRestore(bench.request('incoming'))
    await guest.close()
    await failsWith(() => guest.memory.populate([1], 0), ['BACKEND_STATE', 'BACKEND_NO_SUCH_DOMAIN'], 'populate() after close()')
  }),
  restoring('what is set of the time stamp counter is what a saver reads', async (guest, bench) => {
    const { backend } = bench
    await guest.cpu.setTsc({ mode: 1, khz: 2_000_000, nsec: 1_000_000_000n, incarnation: 3 })
    await complete(guest, bench)
    const saver = await backend.openForSave(guest.facts.domId)
    const { mode, khz, nsec, incarnation } = await saver.cpu.tsc()
    await saver.close()
    assert.deepEqual([mode, khz, nsec >= 1_000_000_000n], [1, 2_000_000, true])
    assert.ok(incarnation === 3 || incarnation === 4, `the incarnation became ${incarnation}; it stays, or counts this restore as Xen does`)
    await backend.lifecycle(guest.facts.domId).destroy()
  }),
  restoring('CPU state that makes no sense is refused', async (guest) => {
    const junk = Uint8Array.from({ length: 100 }, (_, i) => i)
    const setting = guest.pv === undefined ? guest.cpu.setHvmContext(junk) : guest.cpu.setPvVcpu(0, 'context', junk)
    await failsWith(setting, ['BACKEND_CPU_STATE'], 'setting junk')
  }),
]

/** PV guests only. */
export const pvRestoreCases: readonly Case<BackendBench>[] = [
  restoring('the width of a PV guest is what it was set to, or is refused', async ({ pv }) => {
    for (const width of [4, 8] as const) {
      const outcome = await pv?.setWidth(width).then(() => 'set', (error: { readonly code?: string }) => error.code)
      if (outcome !== 'set') assert.equal(outcome, 'BACKEND_UNSUPPORTED')
      else assert.equal(await pv?.width(), width)
    }
  }),
  restoring('the shared page of a PV guest can be written', async (guest) => {
    const frame = (await guest.pv?.sharedInfoFrame()) ?? -1
    await fill(guest, [frame], () => 0x5a)
    assert.ok((await contents(guest, [frame]))[0]?.every((byte) => byte === 0x5a))
  }),
  restoring('the machine knows whose page a new frame is', async (guest) => {
    const frames = await populated(guest, SOME)
    assert.deepEqual(frames.map((frame) => guest.pv?.machine.pfn(frame)), [...SOME])
  }),
  restoring('a page becomes a page table only when it is one', async (guest) => {
    const [empty, wrong] = await populated(guest, [3, 4])
    await fill(guest, [empty ?? 0], () => 0)
    await guest.pv?.pin([{ level: 1, mfn: empty ?? 0 }])
    await fill(guest, [wrong ?? 0], () => 0xff)
    await failsWith(async () => guest.pv?.pin([{ level: 1, mfn: wrong ?? 0 }]), ['BACKEND_PAGE_TABLE'], 'a table full of nonsense')
    await failsWith(async () => guest.pv?.pin([{ level: 1, mfn: guest.pv.machine.maxMfn }]), ['BACKEND_PAGE_TABLE'], 'a frame of nobody')
  }),
]

/** HVM and PVH guests only: their whole state goes through the ports unchanged. */
export const hvmRestoreCases: readonly Case<BackendBench>[] = [
  check('a guest carried over through the ports is the same guest', async ({ backend, domId, quiet, request, timeless = (state: Uint8Array) => state }) => {
    const from = await backend.openForSave(domId)
    const to = await backend.openForRestore(request('incoming'))
    try {
      await from.lifecycle.suspend()
      const top = await from.memory.frames()
      const all = Array.from({ length: top }, (_, gfn) => gfn)
      const here: number[] = []
      for (let at = 0; at < top; at += 1024) {
        const types = await from.memory.types(all.slice(at, at + 1024))
        here.push(...all.slice(at, at + 1024).filter((_, i) => (types[i] ?? 0xf) < 13))
      }
      for (let at = 0; at < here.length; at += 1024) await copyPages(from, to, here.slice(at, at + 1024))
      const context = await from.cpu.hvmContext()
      await to.cpu.setPolicy(await from.cpu.policy())
      await to.cpu.setTsc(await from.cpu.tsc())
      await to.cpu.setHvmContext(context)
      const rings = await carryParams(from, to)
      if (from.deviceModel !== undefined) await to.deviceModel?.setState(await from.deviceModel.state())
      await to.complete(rings)
      const copy = await backend.openForSave(to.facts.domId)
      try {
        assert.deepEqual(timeless(await copy.cpu.hvmContext()), timeless(context))
        assert.deepEqual(await copy.cpu.policy(), await from.cpu.policy())
        assert.equal(await copy.memory.frames(), top)
        const [before, after] = [await contents(from, quiet), await contents(copy, quiet)]
        assert.ok(after.every((page, i) => !differs(page, before[i])), 'memory differs')
      } finally {
        await copy.close()
        await copy.lifecycle.destroy()
      }
    } finally {
      await to.close()
      await from.close()
    }
  }),
]

async function copyPages(from: Parameters<typeof contents>[0], to: GuestForRestore, gfns: readonly number[]): Promise<void> {
  const frames = await populated(to, gfns)
  const [source, target] = [await from.memory.map(gfns), await to.memory.map(frames)]
  for (let i = 0; i < gfns.length; i++) target.page(i).set(source.page(i))
  source.close()
  target.close()
}

/** Parameters that streams carry, in the order Xen writes them. Source: tools/libs/guest/xg_sr_save_x86_hvm.c. */
const PARAMS = [1, 5, 6, 27, 28, 29, 12, 17, 19, 32, 33, 34]

async function carryParams(from: { readonly cpu: { hvmParam(index: number): Promise<bigint> } }, to: GuestForRestore): Promise<{ store: number; console: number }> {
  for (const index of PARAMS) {
    const value = await from.cpu.hvmParam(index)
    if (value !== 0n) await to.cpu.setHvmParam(index, value)
  }
  return { store: Number(await from.cpu.hvmParam(1)), console: Number(await from.cpu.hvmParam(17)) }
}
