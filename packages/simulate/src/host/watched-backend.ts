import type { CheckpointDevice, DomId, GuestForRestore, GuestForSave, GuestBuilder, HypervisorBackend, Lifecycle, PacketTap, ShadowPorts } from '@xen-replication/hypervisor'

/** What looks on, and takes its time. */
export interface BackendWatch {
  /** Comes before and after every call that changes something: the process may die there. */
  pause(): Promise<void>
  /** The guest may run or stand still now. */
  lifecycle(domId: DomId): Promise<void>
  /** The guest is about to run. */
  unpausing(domId: DomId): Promise<void>
  /** The guest is about to go on from what its memory is now. */
  resuming(domId: DomId): Promise<void>
  /** Memory of a guest that is restored, as it is to be used. */
  builder(memory: GuestBuilder): GuestBuilder
  /** A card of the guest as it is to be used. */
  tap(tap: PacketTap, domId: DomId): PacketTap
  /** A device of the guest as it is to be used. */
  device(device: CheckpointDevice, domId: DomId): CheckpointDevice
}

/** The same host with calls that take time and are looked at. */
export function watchedBackend(backend: HypervisorBackend, watch: BackendWatch): HypervisorBackend {
  const slowly = async <T>(work: () => Promise<T>): Promise<T> => {
    await watch.pause()
    const result = await work()
    await watch.pause()
    return result
  }
  const lifecycleOf = (domId: DomId, inner: Lifecycle): Lifecycle => {
    const watched = (work: () => Promise<void>): Promise<void> => slowly(() => work().finally(() => watch.lifecycle(domId)))
    return {
      state: () => inner.state(),
      suspend: (signal) => watched(() => inner.suspend(signal)),
      resume: (how) => watched(async () => {
        if (how === 'resumed') await watch.resuming(domId)
        await inner.resume(how)
      }),
      pause: () => watched(() => inner.pause()),
      unpause: () => watched(() => watch.unpausing(domId).then(() => inner.unpause())),
      destroy: () => watched(() => inner.destroy()),
    }
  }
  return {
    name: backend.name,
    capabilities: backend.capabilities,
    clock: backend.clock,
    list: () => backend.list(),
    config: (domId) => backend.config(domId),
    rename: (domId, name) => slowly(() => backend.rename(domId, name)),
    create: (request) => backend.create(request),
    openForSave: (domId) => slowly(async () => guestForSave(await backend.openForSave(domId), lifecycleOf, watch)),
    openForRestore: (request) => slowly(async () => guestForRestore(await backend.openForRestore(request), lifecycleOf, watch, slowly)),
    openShadow: (domId) => slowly(async () => shadow(await backend.openShadow(domId), domId, watch)),
    openTaps: (domId) => slowly(async () => (await backend.openTaps(domId)).map((tap) => watch.tap(tap, domId))),
    lifecycle: (domId) => lifecycleOf(domId, backend.lifecycle(domId)),
    close: () => backend.close(),
  }
}

type LifecycleOf = (domId: DomId, inner: Lifecycle) => Lifecycle

function guestForSave(guest: GuestForSave, lifecycleOf: LifecycleOf, watch: BackendWatch): GuestForSave {
  const { facts, memory, dirty, cpu, pv, deviceModel } = guest
  return {
    facts, memory, dirty, cpu, pv, deviceModel,
    lifecycle: lifecycleOf(facts.domId, guest.lifecycle),
    devices: guest.devices.map((one) => watch.device(one, facts.domId)),
    close: () => guest.close(),
  }
}

function shadow(ports: ShadowPorts, domId: DomId, watch: BackendWatch): ShadowPorts {
  return {
    frames: () => ports.frames(),
    dirty: ports.dirty,
    devices: ports.devices.map((one) => watch.device(one, domId)),
    loadDeviceModel: () => ports.loadDeviceModel(),
    close: (guest) => ports.close(guest),
  }
}

function guestForRestore(guest: GuestForRestore, lifecycleOf: LifecycleOf, watch: BackendWatch, slowly: <T>(work: () => Promise<T>) => Promise<T>): GuestForRestore {
  const { facts, memory, cpu, rings, pv, deviceModel } = guest
  return {
    facts, cpu, rings, pv, deviceModel,
    memory: watch.builder(memory),
    lifecycle: lifecycleOf(facts.domId, guest.lifecycle),
    complete: (frames) => slowly(() => guest.complete(frames)),
    close: () => slowly(() => guest.close()),
  }
}
