import { BackendError, type DeviceModel } from '@xen-replication/hypervisor'
import type { Guard } from '../guard/guard.ts'
import type { Platform } from '../platform/platform.ts'
import type { QmpClient } from '../qmp/qmp-client.ts'

/** What is kept of each region of memory that it has moved. Source: libxl_dom_save.c. */
const REGION_KEYS = ['start_addr', 'size', 'name'] as const

/** Node of the device model of a domain, which runs in the control domain. */
const modelNode = (domId: number): string => `/local/domain/0/device-model/${domId}`

/**
 * The device model of an HVM guest. A link to it is held only as long as it is spoken to: it has room for one, and the toolstack
 * needs it too.
 */
export class XenDeviceModel implements DeviceModel {
  readonly #platform: Platform
  readonly #domId: number
  readonly #scratchDir: string
  readonly #guard: Guard
  #tracking: 'on' | 'off' = 'off'
  #stopped: 'yes' | 'no' = 'no'
  #state: Uint8Array | undefined

  /** @param scratchDir where the device model may write files. @param guard ends what it tracks, should this process be killed. */
  constructor(platform: Platform, domId: number, scratchDir: string, guard: Guard) {
    this.#platform = platform
    this.#domId = domId
    this.#scratchDir = scratchDir
    this.#guard = guard
  }

  async logDirty(state: 'on' | 'off'): Promise<void> {
    if (state === this.#tracking) return
    if (state === 'on') await this.#guard.hold('device-model-log-dirty')
    await this.#with((qmp) => qmp.execute('xen-set-global-dirty-log', { enable: state === 'on' }))
    this.#tracking = state
    if (state === 'off') this.#guard.drop('device-model-log-dirty')
  }

  /** Devices stand still from here on. */
  async stop(): Promise<void> {
    await this.#with((qmp) => qmp.execute('stop'))
    this.#stopped = 'yes'
  }

  /** Devices go on, and take their disks back. */
  async go(): Promise<void> {
    await this.#with((qmp) => qmp.execute('cont'))
    this.#stopped = 'no'
    this.#state = undefined
  }

  /** Gives a model that stands another state. Its memory is in place. */
  async load(state: Uint8Array): Promise<void> {
    const { fromFile } = await import('./device-model-file.ts')
    await fromFile(this.#scratchDir, state, (filename) => this.#with((qmp) => qmp.execute('xen-load-devices-state', { filename })))
  }

  async state(): Promise<Uint8Array> {
    if (this.#stopped === 'no') throw new BackendError('BACKEND_STATE', `the device model of domain ${this.#domId} is read while it runs`, { hint: 'suspend the guest first' })
    this.#state ??= await this.#save()
    return this.#state.slice()
  }

  async xenstore(): Promise<readonly (readonly [key: string, value: string])[]> {
    const store = await this.#platform.xenstore()
    const root = modelNode(this.#domId)
    const pairs: (readonly [string, string])[] = []
    for (const region of await store.list(`${root}/physmap`)) {
      for (const name of REGION_KEYS) {
        const key = `physmap/${region}/${name}`
        const value = await store.read(`${root}/${key}`)
        if (value === undefined) throw new BackendError('BACKEND_DEVICE_MODEL', `the device model of domain ${this.#domId} keeps no ${key} in xenstore`)
        pairs.push([key, value])
      }
    }
    return pairs
  }

  async close(): Promise<void> {
    await this.logDirty('off')
  }

  /** The device model writes a file and gives up its disks, so that another one may take them. */
  async #save(): Promise<Uint8Array> {
    const { throughFile } = await import('./device-model-file.ts')
    const state = await throughFile(this.#scratchDir, (filename) => this.#with((qmp) => qmp.execute('xen-save-devices-state', { filename, live: true })))
    if (state === undefined) throw new BackendError('BACKEND_DEVICE_MODEL', `the device model of domain ${this.#domId} left no state`)
    return state
  }

  async #with<T>(use: (qmp: QmpClient) => Promise<T>): Promise<T> {
    const qmp = await this.#platform.qmp(this.#domId)
    try {
      return await use(qmp)
    } finally {
      qmp.close()
    }
  }
}
