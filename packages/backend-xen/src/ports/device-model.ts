import { BackendError, type DeviceModel } from '@xen-replication/hypervisor'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
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
  #tracking: 'on' | 'off' = 'off'
  #stopped: 'yes' | 'no' = 'no'
  #state: Uint8Array | undefined

  /** @param scratchDir where the device model may write files. */
  constructor(platform: Platform, domId: number, scratchDir: string) {
    this.#platform = platform
    this.#domId = domId
    this.#scratchDir = scratchDir
  }

  async logDirty(state: 'on' | 'off'): Promise<void> {
    if (state === this.#tracking) return
    await this.#with((qmp) => qmp.execute('xen-set-global-dirty-log', { enable: state === 'on' }))
    this.#tracking = state
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
    await this.#inFile(async (filename) => {
      await writeFile(filename, state, { mode: 0o600 })
      await this.#with((qmp) => qmp.execute('xen-load-devices-state', { filename }))
    })
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
  #save(): Promise<Uint8Array> {
    return this.#inFile(async (filename) => {
      await this.#with((qmp) => qmp.execute('xen-save-devices-state', { filename, live: true }))
      return readFile(filename).catch((cause: unknown) => {
        throw new BackendError('BACKEND_DEVICE_MODEL', `the device model of domain ${this.#domId} left no state`, { cause })
      })
    })
  }

  /** A file that is there for as long as it is used. */
  async #inFile<T>(use: (filename: string) => Promise<T>): Promise<T> {
    const dir = await mkdtemp(join(this.#scratchDir, 'xr-dm-')).catch((cause: unknown) => {
      throw new BackendError('BACKEND_HOST', `no folder can be made in ${this.#scratchDir} for the state of the device model`, { cause })
    })
    try {
      return await use(join(dir, 'state'))
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
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
