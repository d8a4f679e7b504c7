import { BackendError, type AbortSignalLike, type DomainState, type Lifecycle } from '@xen-replication/hypervisor'
import { reasonOf } from '../clock.ts'
import type { Platform } from '../platform/platform.ts'
import { resumePv } from '../pv/resume-pv.ts'
import { cancelSuspend } from '../suspend/cancel-suspend.ts'
import { changes } from '../suspend/changes.ts'
import { suspendFromOutside } from '../suspend/remote-shutdown.ts'
import { requestByXenstore } from '../suspend/request-by-xenstore.ts'
import { SuspendChannel } from '../suspend/suspend-channel.ts'
import { STAND_MS } from '../suspend/times.ts'
import { readHvmParam } from './cpu-state.ts'
import type { XenDeviceModel } from './device-model.ts'
import { domainInfo, findInfo, kindOf, stateOf } from './domain-info.ts'

/** HVM_PARAM_CALLBACK_IRQ and HVM_PARAM_ACPI_S_STATE. */
const PARAM = { callback: 0, acpiState: 14 } as const

/** What a lifecycle needs beside the hypervisor. */
export interface LifecycleParts {
  /** Undefined for guests that have none. */
  readonly model: XenDeviceModel | undefined
  /** Ends a domain with all that belongs to it. */
  readonly destroy: (domId: number) => Promise<void>
}

/** Stops and starts a guest of a real Xen. */
export class XenLifecycle implements Lifecycle {
  readonly #platform: Platform
  readonly #domId: number
  readonly #parts: () => LifecycleParts
  #channel: SuspendChannel | undefined

  constructor(platform: Platform, domId: number, parts: () => LifecycleParts) {
    this.#platform = platform
    this.#domId = domId
    this.#parts = parts
  }

  async state(): Promise<DomainState> {
    return Promise.resolve(this.#now())
  }

  /** Source: libxl_dom_suspend.c domain_suspend_callback_common(). */
  async suspend(signal?: AbortSignalLike): Promise<void> {
    const { shutdown, paused } = this.#now()
    if (shutdown === 'suspend') return this.#stopModel()
    if (shutdown !== undefined) throw this.#ended(shutdown)
    if (signal?.aborted === true) throw reasonOf(signal)
    const how = await this.#way()
    if (how === 'from-outside') suspendFromOutside(this.#platform, this.#domId)
    else if (paused) throw new BackendError('BACKEND_STATE', `domain ${this.#domId} is paused, so it cannot answer`, { hint: 'unpause it first' })
    else if (how === 'by-request') await requestByXenstore(this.#platform, this.#domId, signal)
    else await how.suspend(this.#domId, () => this.#stands(), () => this.#platform.clock.now(), signal)
    await this.#untilStanding(signal)
    await this.#stopModel()
  }

  async resume(how: 'cancelled' | 'resumed'): Promise<void> {
    const info = domainInfo(this.#platform, this.#domId)
    const { shutdown } = stateOf(info)
    if (shutdown !== undefined && shutdown !== 'suspend') throw this.#ended(shutdown)
    if (shutdown === undefined) return
    await this.#parts().model?.go()
    if (how === 'cancelled') cancelSuspend(this.#platform, this.#domId, kindOf(info))
    else if (kindOf(info) === 'pv') resumePv(this.#platform, this.#domId, info)
    this.#platform.domctl.call(this.#domId, 'resume', {}, 'BACKEND_STATE', 'going on')
    await (await this.#platform.xenstore()).resumeDomain(this.#domId)
  }

  async pause(): Promise<void> {
    if (!this.#now().paused) this.#platform.domctl.call(this.#domId, 'pause', {}, 'BACKEND_STATE', 'pausing')
    return Promise.resolve()
  }

  async unpause(): Promise<void> {
    if (!this.#now().paused) return
    await this.#parts().model?.go()
    this.#platform.domctl.call(this.#domId, 'unpause', {}, 'BACKEND_STATE', 'going on')
  }

  async destroy(): Promise<void> {
    if (findInfo(this.#platform, this.#domId) !== undefined) await this.#parts().destroy(this.#domId)
  }

  /** Gives the event channel back. */
  close(): void {
    this.#channel?.close()
    this.#channel = undefined
  }

  #now(): DomainState {
    return stateOf(domainInfo(this.#platform, this.#domId))
  }

  #stands(): boolean {
    return this.#now().shutdown !== undefined
  }

  async #way(): Promise<'from-outside' | 'by-request' | SuspendChannel> {
    const kind = kindOf(domainInfo(this.#platform, this.#domId))
    const asleep = kind !== 'pv' && this.#param(PARAM.acpiState) !== 0n
    if (!asleep) this.#channel ??= await SuspendChannel.bind(this.#platform, this.#domId)
    if (!asleep && this.#channel !== undefined) return this.#channel
    return kind !== 'pv' && (asleep || this.#param(PARAM.callback) === 0n) ? 'from-outside' : 'by-request'
  }

  #param(index: number): bigint {
    return readHvmParam(this.#platform, this.#domId, index)
  }

  async #untilStanding(signal?: AbortSignalLike): Promise<void> {
    if (!this.#stands()) {
      const { clock } = this.#platform
      const stands = await changes(await this.#platform.xenstore(), clock, '@releaseDomain', () => Promise.resolve(this.#stands()), STAND_MS, signal)
      if (!stands) throw new BackendError('BACKEND_SUSPEND_TIMEOUT', `domain ${this.#domId} took the request to suspend but does not stand after ${STAND_MS} ms`, { hint: 'it may still do so; `xr list` tells' })
    }
    const { shutdown } = this.#now()
    if (shutdown !== 'suspend') throw new BackendError('BACKEND_SUSPEND', `domain ${this.#domId} did not suspend, it ended: ${shutdown ?? 'for no reason'}`)
  }

  async #stopModel(): Promise<void> {
    await this.#parts().model?.stop()
  }

  #ended(shutdown: DomainState['shutdown']): BackendError {
    return new BackendError('BACKEND_SUSPEND', `domain ${this.#domId} has ended: ${shutdown ?? ''}`)
  }
}
