import type { GuestForSave } from '@xen-replication/hypervisor'
import { HelperError } from '../helper-error.ts'
import type { SaveJob } from '../job.ts'
import type { Libxl } from '../protocol/libxl.ts'

/** The guest as the engine sees it under libxl: what stops it, and what its device model does, is libxl's. */
export function savedGuest(guest: GuestForSave, libxl: Libxl, { domId, callbacks }: SaveJob): GuestForSave {
  const { facts, memory, dirty, lifecycle, cpu, pv, devices } = guest
  const switched = facts.kind !== 'pv' && callbacks.has('switchQemuLogdirty')
  return {
    facts, memory, dirty, cpu, pv, devices,
    lifecycle: {
      state: () => lifecycle.state(),
      suspend: async () => {
        if ((await libxl.ask('suspend', {})) === 0) throw refused('the guest was not suspended')
      },
      resume: (how) => lifecycle.resume(how),
      pause: () => lifecycle.pause(),
      unpause: () => lifecycle.unpause(),
      destroy: () => lifecycle.destroy(),
    },
    deviceModel: switched ? deviceModel(libxl, domId) : undefined,
    close: () => guest.close(),
  }
}

/** libxl knows which guests have an emulator, and answers for those that have none. */
function deviceModel(libxl: Libxl, domId: number): GuestForSave['deviceModel'] {
  return {
    logDirty: async (state) => {
      const answer = await libxl.ask('switchQemuLogdirty', { domId, enable: state === 'on' ? 1 : 0 })
      if (answer !== 0) throw refused(`the device model did not switch its log of written pages ${state}`)
    },
    state: () => Promise.resolve(new Uint8Array(0)), // goes into the libxl stream, which libxl writes
    xenstore: () => Promise.resolve([]),
  }
}

const refused = (what: string): HelperError => new HelperError('HELPER_REFUSED', what, { hint: 'what libxl says before this tells why' })
