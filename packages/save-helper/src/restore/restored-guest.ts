import type { CpuStateWriter, GuestForRestore } from '@xen-replication/hypervisor'
import { HelperError } from '../helper-error.ts'
import type { RestoreJob } from '../job.ts'
import type { Libxl } from '../protocol/libxl.ts'

const MISSING = { cpuid: 1, msr: 2 } as const

/** The guest as the engine sees it under libxl, which is told once nothing more comes that is static, and gives the guest what is missing. */
export function restoredGuest(guest: GuestForRestore, libxl: Libxl, { callbacks }: RestoreJob): GuestForRestore {
  const { memory, lifecycle, rings, pv, deviceModel, cpu } = guest
  const setPolicy: CpuStateWriter['setPolicy'] = async (policy) => {
    if (policy.cpuid.length + policy.msr.length > 0) await cpu.setPolicy(policy)
    if (!callbacks.has('staticDataDone')) return
    const missing = (policy.cpuid.length === 0 ? MISSING.cpuid : 0) | (policy.msr.length === 0 ? MISSING.msr : 0)
    if ((await libxl.ask('staticDataDone', { missing })) !== 0) throw new HelperError('HELPER_REFUSED', 'libxl could not give the guest the CPU policy that its image lacks')
  }
  return {
    get facts() {
      return guest.facts // the width of a PV guest is found out on the way
    },
    memory, lifecycle, rings, pv, deviceModel,
    cpu: {
      setTsc: (tsc) => cpu.setTsc(tsc),
      setPolicy,
      setHvmContext: (context) => cpu.setHvmContext(context),
      setHvmParam: (index, value) => cpu.setHvmParam(index, value),
      setPvVcpu: (id, part, bytes) => cpu.setPvVcpu(id, part, bytes),
    },
    complete: (frames) => guest.complete(frames),
    close: () => guest.close(),
  }
}
