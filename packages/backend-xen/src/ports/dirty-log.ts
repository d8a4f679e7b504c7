import { BackendError, type DirtyLog, type DirtyPages, type GuestKind } from '@xen-replication/hypervisor'
import { ERRNO } from '../hypercall/errno.ts'
import type { Guard } from '../guard/guard.ts'
import type { HypercallBuffer } from '../hypercall/hypercall.ts'
import { refused } from '../hypercall/refused.ts'
import type { Platform } from '../platform/platform.ts'

/** XEN_DOMCTL_SHADOW_OP_*. */
const OP = { off: 0, enable: 2, clean: 11, peek: 12 } as const
/** XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL. */
const FINAL = 1

/** Log-dirty mode of one guest. */
export class XenDirtyLog implements DirtyLog {
  readonly #platform: Platform
  readonly #domId: number
  readonly #kind: GuestKind
  readonly #guard: Guard
  #buffer: HypercallBuffer | undefined
  #copy = new Uint8Array(0)
  #on = false

  /** @param guard turns it off, should this process be killed. */
  constructor(platform: Platform, domId: number, kind: GuestKind, guard: Guard) {
    this.#platform = platform
    this.#domId = domId
    this.#kind = kind
    this.#guard = guard
  }

  /** Tracking of the screen may be on already; it gives way. Source: xg_sr_save.c enable_logdirty(). */
  async enable(): Promise<void> {
    if (this.#on) throw new BackendError('BACKEND_LOG_DIRTY', `writes of domain ${this.#domId} are tracked already`)
    await this.#guard.hold('log-dirty')
    let errno = this.#op(OP.enable)
    if (errno !== 0) {
      this.#op(OP.off)
      errno = this.#op(OP.enable)
    }
    if (errno !== 0) {
      this.#guard.drop('log-dirty')
      throw this.#notEnabled(errno)
    }
    this.#on = true
  }

  async take(pages: number, last?: 'last'): Promise<DirtyPages> {
    return Promise.resolve(this.#look(OP.clean, pages, last === 'last' ? FINAL : 0))
  }

  async peek(pages: number): Promise<DirtyPages> {
    return Promise.resolve(this.#look(OP.peek, pages, 0))
  }

  async disable(): Promise<void> {
    if (!this.#on) return
    this.#on = false
    this.#buffer?.free()
    this.#buffer = undefined
    const errno = this.#op(OP.off)
    if (errno !== 0 && errno !== ERRNO.ESRCH) throw refused('BACKEND_LOG_DIRTY', `writes of domain ${this.#domId} are tracked on`, errno)
    this.#guard.drop('log-dirty')
    return Promise.resolve()
  }

  #op(op: number): number {
    const { result } = this.#platform.domctl.try(this.#domId, 'shadowOp', { op })
    return result < 0 ? -result : 0
  }

  #look(op: number, pages: number, mode: number): DirtyPages {
    if (!this.#on) throw new BackendError('BACKEND_LOG_DIRTY', `writes of domain ${this.#domId} are not tracked`)
    const bytes = Math.ceil(pages / 8)
    const buffer = this.#room(bytes)
    const { result, values } = this.#platform.domctl.try(this.#domId, 'shadowOp', { op, mode, bitmap: buffer.address, pages: BigInt(pages) })
    if (result < 0) throw refused('BACKEND_LOG_DIRTY', `what domain ${this.#domId} wrote is not told`, -result, result === -ERRNO.ENOMEM ? 'the hypervisor lost some of it for want of memory; free some and start again' : undefined)
    if (values.pages !== BigInt(pages)) {
      throw new BackendError('BACKEND_LOG_DIRTY', `what domain ${this.#domId} wrote is told of ${values.pages} pages, ${pages} were asked for`, { hint: 'its memory grew or shrank meanwhile: start again' })
    }
    this.#copy.set(buffer.bytes.subarray(0, bytes))
    return { bitmap: this.#copy.subarray(0, bytes), estimate: values.dirty }
  }

  /** A buffer of the hypervisor's for that many bytes, empty, and one of ours, which stays valid when that one goes. */
  #room(bytes: number): HypercallBuffer {
    if (this.#buffer === undefined || this.#buffer.bytes.length < bytes) {
      this.#buffer?.free()
      this.#buffer = undefined
      this.#buffer = this.#platform.hypercalls.allocate(Math.max(bytes, 1))
      this.#copy = new Uint8Array(bytes)
    }
    if (this.#copy.length < bytes) this.#copy = new Uint8Array(bytes)
    this.#buffer.bytes.fill(0, 0, bytes)
    return this.#buffer
  }

  #notEnabled(errno: number): BackendError {
    const what = `writes of domain ${this.#domId} cannot be tracked`
    if (this.#kind === 'pv' && (errno === ERRNO.EINVAL || errno === ERRNO.EOPNOTSUPP || errno === ERRNO.ENOSYS)) {
      return new BackendError('BACKEND_UNSUPPORTED', `${what}: this Xen is built without shadow paging, which PV guests need for it`, { hint: 'save it while it stands, or use a Xen with CONFIG_SHADOW_PAGING; `xr doctor` tells' })
    }
    return refused('BACKEND_LOG_DIRTY', what, errno)
  }
}
