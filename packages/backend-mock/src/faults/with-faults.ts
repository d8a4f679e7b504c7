import { BackendError, type CheckpointDevice, type Clock, type DomId, type GuestForRestore, type GuestForSave, type HypervisorBackend, type Lifecycle, type MappedFrames, type PacketTap, type ShadowPorts } from '@xen-replication/hypervisor'
import { portCalls, type FaultCall } from './calls.ts'
import type { Fault, FaultAction } from './fault-plan.ts'

/** A host that guests can be made to crash on. */
export interface FaultyHost extends HypervisorBackend {
  /** Ends a guest as if it had done so itself. */
  end(domId: DomId, reason: 'crash'): Promise<void>
}

/**
 * The same host with things going wrong as planned.
 *
 * @returns a backend whose calls, and those of all ports it gives out, count and fail together. What else `host` can do it can do too.
 */
export function withFaults<Host extends FaultyHost>(host: Host, plan: readonly Fault[]): Host {
  return new Faulty(host, plan).over(host)
}

type Method = (...parameters: unknown[]) => unknown

class Faulty {
  readonly #host: FaultyHost
  readonly #plan: readonly Fault[]
  readonly #counts = new Map<FaultCall, number>()
  readonly #modelsLost = new Set<number>()

  constructor(host: FaultyHost, plan: readonly Fault[]) {
    this.#host = host
    this.#plan = plan
  }

  over<Host extends FaultyHost>(host: Host): Host {
    const wrapped = this.#port(host, portCalls.host, undefined, {
      openForSave: (opened) => this.#handle(opened as GuestForSave),
      openForRestore: (opened) => this.#handle(opened as GuestForRestore),
      openShadow: (opened, domId) => this.#shadow(opened as ShadowPorts, domId),
      openTaps: (opened, domId) => (opened as readonly PacketTap[]).map((tap) => this.#port(tap, portCalls.tap, domId)),
    })
    return overlay(wrapped, { lifecycle: (domId: DomId): Lifecycle => this.#port(host.lifecycle(domId), portCalls.lifecycle, domId) })
  }

  #handle<Handle extends GuestForSave | GuestForRestore>(handle: Handle): Handle {
    const { domId } = handle.facts
    const ports: Record<string, unknown> = {}
    for (const name of ['memory', 'dirty', 'lifecycle', 'cpu', 'pv', 'deviceModel'] as const) {
      const port = (handle as unknown as Record<string, object | undefined>)[name]
      if (port !== undefined) ports[name] = this.#port(port, portCalls[name], domId)
    }
    if ('devices' in handle) ports['devices'] = handle.devices.map((device): CheckpointDevice => this.#port(device, portCalls.device, domId))
    return overlay(this.#port(handle, portCalls.handle, domId), ports)
  }

  #shadow(shadow: ShadowPorts, domId: DomId | undefined): ShadowPorts {
    return overlay(shadow, {
      dirty: this.#port(shadow.dirty, portCalls.dirty, domId),
      devices: shadow.devices.map((device): CheckpointDevice => this.#port(device, portCalls.device, domId)),
    })
  }

  /** The same object, calls of `calls` being guarded. */
  #port<Port extends object>(port: Port, calls: Readonly<Record<string, FaultCall>>, domId: DomId | undefined, results: Readonly<Record<string, (result: unknown, domId: DomId | undefined) => unknown>> = {}): Port {
    const methods: Record<string, Method> = {}
    for (const [name, call] of Object.entries(calls)) {
      const method = (port as Readonly<Record<string, unknown>>)[name]
      if (typeof method !== 'function') continue
      methods[name] = async (...parameters) => {
        const guest = domId ?? (typeof parameters[0] === 'number' ? (parameters[0] as DomId) : undefined)
        const torn = await this.#before(call, guest)
        const result: unknown = await (method as Method).apply(port, parameters)
        if (torn) return tear(result as MappedFrames)
        return results[name]?.(result, guest) ?? result
      }
    }
    return overlay(port, methods)
  }

  /** @returns whether what is written is to arrive in part. */
  async #before(call: FaultCall, domId: DomId | undefined): Promise<boolean> {
    const time = (this.#counts.get(call) ?? 0) + 1
    this.#counts.set(call, time)
    if (call.startsWith('model.') && domId !== undefined && this.#modelsLost.has(domId)) throw failure('BACKEND_DEVICE_MODEL', call, time)
    let torn = false
    for (const fault of this.#plan) {
      if (fault.call !== call || time < fault.first || time > fault.last) continue
      if (fault.action.what === 'torn') torn = true
      else await this.#act(fault.action, call, time, domId)
    }
    return torn
  }

  async #act(action: Exclude<FaultAction, { what: 'torn' }>, call: FaultCall, time: number, domId: DomId | undefined): Promise<void> {
    const { clock }: { readonly clock: Clock } = this.#host
    switch (action.what) {
      case 'fail':
        throw failure(action.code, call, time)
      case 'timeout':
        throw failure('BACKEND_SUSPEND_TIMEOUT', call, time)
      case 'delay':
        return clock.sleep(action.ms)
      case 'lose':
        if (domId !== undefined) this.#modelsLost.add(domId)
        throw failure('BACKEND_DEVICE_MODEL', call, time)
      case 'crash':
        return domId === undefined ? undefined : this.#host.end(domId, 'crash')
      case 'vanish':
        return domId === undefined ? undefined : this.#host.lifecycle(domId).destroy()
      case 'kill':
        process.kill(process.pid, 'SIGKILL')
    }
  }
}

const failure = (code: BackendError['code'], call: FaultCall, time: number): BackendError => new BackendError(code, `${call} fails the ${time}. time, as planned`)

/** Frames of which the second half of the last page does not keep what is written. */
function tear(mapped: MappedFrames): MappedFrames {
  if (mapped.count === 0) return mapped
  const last = mapped.page(mapped.count - 1)
  const half = last.subarray(last.length / 2)
  const before = half.slice()
  let open = true
  return overlay(mapped, {
    close: () => {
      if (open) half.set(before)
      open = false
      mapped.close()
    },
  })
}

/** The object with some properties in place of its own; its methods still run on itself. */
function overlay<T extends object>(object: T, own: Readonly<Record<string, unknown>>): T {
  return new Proxy(object, {
    get: (target, name) => {
      if (typeof name === 'string' && Object.hasOwn(own, name)) return own[name]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? ((value as Method).bind(target) as unknown) : value
    },
  })
}
