import { BackendError, type CpuPolicy, type DeviceModelWriter, type Lifecycle, type RestoreRequest, type RingPorts } from '@xen-replication/hypervisor'
import type { RestoreOwner, Rings } from '../guest-for-restore.ts'
import { Bridge } from './bridge.ts'
import { completeMessage, MISSING, restoreResults, staticDataDone, type BridgeArgs } from './bridge-messages.ts'
import { configFor } from './config-json.ts'
import { encodeEnd, encodeStart, type ModelParts } from './outer-stream.ts'
import { lastWords, type XlRun, type XlTool } from './xl-tool.ts'

/** Longest wait for libxl to let go of a domain that is not wanted, in milliseconds. */
const LET_GO_MS = 60_000

/** What making a domain needs. */
export interface XlDomainParts {
  readonly xl: XlTool
  /** Folder that only root may enter. */
  readonly runDir: string
  readonly lifecycle: (domId: number) => Lifecycle
}

/**
 * A domain that `xl restore` makes and finishes, with all its devices, while this process fills it: libxl is told that we are its
 * restorer, and given a stream that has everything but the image.
 */
export class XlDomain implements RestoreOwner {
  readonly domId: number
  readonly rings: RingPorts
  readonly lifecycle: Lifecycle
  readonly deviceModel: DeviceModelWriter
  readonly #bridge: Bridge
  readonly #run: XlRun
  readonly #kind: RestoreRequest['kind']
  #model: { state?: Uint8Array; xenstore: ModelParts['xenstore'] } = { xenstore: [] }
  #missing: number = MISSING.cpuid | MISSING.msr
  #static: 'open' | 'done' = 'open'
  #complete = false
  #open = true

  private constructor(bridge: Bridge, run: XlRun, { domId, rings }: BridgeArgs, kind: RestoreRequest['kind'], lifecycle: Lifecycle) {
    this.domId = domId
    this.rings = rings
    this.lifecycle = { ...bound(lifecycle), unpause: () => (this.#complete ? lifecycle.unpause() : Promise.reject(incomplete(domId))) }
    this.#bridge = bridge
    this.#run = run
    this.#kind = kind
    this.deviceModel = {
      setState: async (state) => void (this.#model.state = await Promise.resolve(state.slice())),
      setXenstore: async (pairs) => void (this.#model.xenstore = await Promise.resolve([...pairs])),
    }
  }

  /** What came last for the device model. */
  get modelState(): Uint8Array | undefined {
    return this.#model.state
  }

  /** @throws BackendError BACKEND_HOST with what `xl` said, BACKEND_STATE for a configuration that is none, BACKEND_UNSUPPORTED */
  static async create({ xl, runDir, lifecycle }: XlDomainParts, request: RestoreRequest): Promise<XlDomain> {
    const start = encodeStart(configFor(request))
    const bridge = await Bridge.open(runDir)
    const run = xl.start(['restore', '-p', bridge.streamPath], { LIBXL_SAVE_HELPER: bridge.program })
    try {
      const made = bridge.stream.write(start).then(() => bridge.args())
      const args = await beforeEnd(run, made)
      return new XlDomain(bridge, run, args, request.kind, lifecycle(args.domId))
    } catch (error) {
      bridge.hangUp()
      run.kill()
      await run.ended.catch(() => undefined)
      await bridge.close()
      throw error
    }
  }

  /** What came with the image of the CPU policy; libxl makes up the rest. */
  tookPolicy({ cpuid, msr }: CpuPolicy): void {
    if (cpuid.length > 0) this.#missing &= ~MISSING.cpuid
    if (msr.length > 0) this.#missing &= ~MISSING.msr
  }

  /** Has libxl set what the image had not of the CPU policy; only the first call does anything. */
  async beforeCpuState(): Promise<void> {
    if (this.#static === 'done') return
    this.#static = 'done'
    const answer = await this.#within(this.#bridge.ask(staticDataDone(this.#missing)))
    if (answer !== 0) throw new BackendError('BACKEND_CPU_STATE', `libxl cannot give domain ${this.domId} a CPU policy`, { hint: 'the image is of an old Xen; its host may have had other CPUs' })
  }

  async complete(frames: Rings): Promise<void> {
    const end = this.#end() // what is missing is told before libxl goes on
    await this.beforeCpuState()
    await this.#within(this.#bridge.tell(restoreResults(frames)))
    await this.#within(this.#bridge.ask(completeMessage(0, 0)))
    this.#bridge.hangUp()
    await this.#within(this.#bridge.stream.write(end))
    const result = await this.#run.ended
    if (result.status !== 0) throw new BackendError('BACKEND_HOST', `xl could not finish domain ${this.domId}: ${lastWords(result)}`)
    this.#complete = true
  }

  async close(how: 'complete' | 'abandoned'): Promise<void> {
    if (!this.#open) return
    this.#open = false
    if (how === 'abandoned') await this.#abandon()
    await this.#bridge.close()
  }

  #end(): Uint8Array {
    if (this.#kind !== 'hvm') return encodeEnd(undefined)
    const { state, xenstore } = this.#model
    if (state === undefined) throw new BackendError('BACKEND_DEVICE_MODEL', `domain ${this.domId} has got no state for its device model`)
    return encodeEnd({ state, xenstore })
  }

  /** libxl ends the domain when its restorer fails; should it not, we do. */
  async #abandon(): Promise<void> {
    const ended = this.#run.ended.then(() => undefined, () => undefined)
    const timer = setTimeout(() => this.#run.kill(), LET_GO_MS)
    await Promise.race([this.#bridge.ask(completeMessage(-1, 0)).catch(() => undefined), ended])
    this.#bridge.hangUp()
    await ended
    clearTimeout(timer)
    await this.lifecycle.destroy()
  }

  #within<T>(work: Promise<T>): Promise<T> {
    return beforeEnd(this.#run, work)
  }
}

/** Waits for what can only come while `xl` runs. @throws BackendError BACKEND_HOST when it ends first */
async function beforeEnd<T>(run: XlRun, work: Promise<T>): Promise<T> {
  const ended = run.ended.then((result): never => {
    throw new BackendError('BACKEND_HOST', `xl made no domain: ${lastWords(result)}`, { hint: 'its own log is in /var/log/xen' })
  })
  return Promise.race([work, ended])
}

const incomplete = (domId: number): BackendError => new BackendError('BACKEND_STATE', `domain ${domId} is not complete yet`)

/** A lifecycle whose calls can be taken one by one. */
const bound = (one: Lifecycle): Lifecycle => ({
  state: () => one.state(),
  suspend: (signal) => one.suspend(signal),
  resume: (how) => one.resume(how),
  pause: () => one.pause(),
  unpause: () => one.unpause(),
  destroy: () => one.destroy(),
})
