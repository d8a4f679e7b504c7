import { BackendError, type AbortSignalLike, type DomId, type DomainState, type Lifecycle } from '@xen-replication/hypervisor'
import type { HostCore } from '../host/host-core.ts'

/** Longest wait for a guest to suspend, in milliseconds. Source: libxl, 60 s. */
const SUSPEND_TIMEOUT_MS = 60_000

/** Stops and starts a guest, by events that every process sees. */
export class MockLifecycle implements Lifecycle {
  readonly #core: HostCore
  readonly #domId: DomId

  constructor(core: HostCore, domId: DomId) {
    this.#core = core
    this.#domId = domId
  }

  async state(): Promise<DomainState> {
    const stored = this.#core.stored(this.#domId)
    const guest = this.#core.resident(this.#domId)
    if (guest !== undefined) await this.#core.settle(guest)
    const { paused, shutdown } = guest?.timeline ?? this.#core.timeline(stored)
    return { dying: false, paused, shutdown }
  }

  async suspend(signal?: AbortSignalLike): Promise<void> {
    const { shutdown, paused } = await this.state()
    if (shutdown === 'suspend') return
    this.#checkAlive(shutdown)
    if (paused) throw new BackendError('BACKEND_STATE', `domain ${this.#domId} is paused, so it cannot answer`, { hint: 'unpause it first' })
    const { record } = this.#core.stored(this.#domId)
    const { answer, latencyMs } = record.suspend
    const timeoutMs = this.#core.options.suspendTimeoutMs ?? SUSPEND_TIMEOUT_MS
    const late = answer === 'ignore' || latencyMs > timeoutMs
    if (late || latencyMs > 0) await this.#core.clock.sleep(late ? timeoutMs : latencyMs, signal)
    if (late) {
      throw new BackendError('BACKEND_SUSPEND_TIMEOUT', `domain ${this.#domId} did not suspend within ${timeoutMs} ms`, { hint: 'a guest answers when its drivers know how to suspend' })
    }
    this.#checkAlive((await this.state()).shutdown)
    await this.#core.happen(this.#domId, answer)
    const after = (await this.state()).shutdown
    if (after !== 'suspend') throw new BackendError('BACKEND_SUSPEND', `domain ${this.#domId} did not suspend, it ended: ${after}`)
    this.#core.ledger.note(this.#domId, 'suspended')
  }

  async resume(how: 'cancelled' | 'resumed'): Promise<void> {
    const { shutdown } = await this.state()
    if (shutdown === undefined) return
    if (shutdown !== 'suspend') this.#checkAlive(shutdown)
    await this.#core.happen(this.#domId, how === 'cancelled' ? 'resume-cancelled' : 'resume')
    this.#core.ledger.giveBack(this.#domId, 'suspended')
  }

  async pause(): Promise<void> {
    if ((await this.state()).paused) return
    await this.#core.happen(this.#domId, 'pause')
    this.#core.ledger.note(this.#domId, 'paused')
  }

  async unpause(): Promise<void> {
    if (this.#core.stored(this.#domId).record.phase === 'building') throw new BackendError('BACKEND_STATE', `domain ${this.#domId} is not complete yet`)
    if (!(await this.state()).paused) return
    await this.#core.happen(this.#domId, 'unpause')
    this.#core.ledger.giveBack(this.#domId, 'paused')
  }

  destroy(): Promise<void> {
    return this.#core.destroy(this.#domId)
  }

  #checkAlive(shutdown: DomainState['shutdown']): void {
    if (shutdown !== undefined && shutdown !== 'suspend') throw new BackendError('BACKEND_SUSPEND', `domain ${this.#domId} has ended: ${shutdown}`)
  }
}
