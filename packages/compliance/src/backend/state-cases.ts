import type { GuestForSave } from '@xen-replication/hypervisor'
import assert from 'node:assert/strict'
import type { Case } from '../case.ts'
import { saving, type BackendBench } from './backend-bench.ts'

/** Parameter that holds the frame of the xenstore ring. */
const STORE_PFN = 1
/** Parameter that nobody sets while a guest runs. */
const ACPI_S_STATE = 14
const QEVM = [0x51, 0x45, 0x56, 0x4d]

/** vcpu_guest_context by guest width, in bytes. */
const CONTEXT_BYTES = { 4: 2800, 8: 5168 } as const

/** CPUs and device model of a guest that stands still. */
export const stateCases: readonly Case<BackendBench>[] = [
  saving('time stamp counter and CPU policy can be read', async ({ cpu }) => {
    const tsc = await cpu.tsc()
    assert.ok(tsc.khz >= 0 && tsc.nsec >= 0n && tsc.mode >= 0 && tsc.mode <= 2)
    const policy = await cpu.policy()
    assert.deepEqual([policy.cpuid.length % 24, policy.msr.length % 16], [0, 0], 'leaves have 24 bytes, MSRs 16')
  }),
  saving('the state of the CPUs is the same each time it is read', async (guest, bench) => {
    await guest.lifecycle.suspend()
    const [first, second] = [await cpuBytes(guest, bench), await cpuBytes(guest, bench)]
    assert.ok(first.length > 0, 'there is no state')
    assert.deepEqual(first, second)
  }),
  saving('the state of the CPUs that was read does not change when the guest goes on', async (guest, { work }) => {
    await guest.lifecycle.suspend()
    const read = guest.pv === undefined ? await guest.cpu.hvmContext() : (await guest.cpu.pvVcpu(0))?.context
    const copy = read?.slice()
    await guest.lifecycle.resume('cancelled')
    await work()
    assert.deepEqual(read, copy)
  }),
  saving('an HVM parameter that nobody set is 0', async (guest) => {
    if (guest.pv !== undefined) return
    assert.equal(await guest.cpu.hvmParam(ACPI_S_STATE), 0n)
    assert.ok((await guest.cpu.hvmParam(STORE_PFN)) > 0n, 'the guest has no xenstore ring')
  }),
  saving('an HVM guest has a device model whose state is known by its first bytes, others have none', async (guest) => {
    assert.equal(guest.deviceModel !== undefined, guest.facts.kind === 'hvm')
    if (guest.deviceModel === undefined) return
    await guest.lifecycle.suspend()
    const state = await guest.deviceModel.state()
    assert.deepEqual([...state.subarray(0, 4)], QEVM)
    assert.deepEqual(await guest.deviceModel.state(), state)
    for (const pair of await guest.deviceModel.xenstore()) assert.equal(pair.length, 2)
  }),
  saving('the device model can be told twice to report its writes, and not to', async (guest, { held }) => {
    const before = await held()
    for (const state of ['on', 'on', 'off', 'off'] as const) await guest.deviceModel?.logDirty(state)
    assert.deepEqual(await held(), before)
  }),
]

/** All that a stream would hold of the CPUs, one behind the other. */
async function cpuBytes({ cpu, pv, facts }: GuestForSave, { timeless = (state) => state }: BackendBench): Promise<number[]> {
  if (pv === undefined) return [...timeless(await cpu.hvmContext())]
  const all: number[] = []
  for (let id = 0; id <= facts.maxVcpuId; id++) {
    const vcpu = await cpu.pvVcpu(id)
    if (vcpu === undefined) continue
    assert.equal(vcpu.context.length, CONTEXT_BYTES[facts.width ?? 8], `context of vCPU ${id}`)
    assert.ok(vcpu.extended.length <= 128 && vcpu.msrs.length % 16 === 0)
    all.push(...vcpu.context, ...vcpu.extended, ...vcpu.xsave, ...vcpu.msrs)
  }
  return all
}
