import { BackendError, FRAMES_PER_CALL, type PvBuilder } from '@xen-replication/hypervisor'
import { ERRNO } from '../hypercall/errno.ts'
import { HYPERCALL } from '../hypercall/hypercall.ts'
import { stable } from '../hypercall/layouts.ts'
import { refused } from '../hypercall/refused.ts'
import { writeStruct } from '../hypercall/struct.ts'
import { withBuffer } from '../hypercall/with-buffer.ts'
import type { Platform } from '../platform/platform.ts'
import { domainInfo, guestWidth } from '../ports/domain-info.ts'
import { XenMachineMap } from './machine-map.ts'

/** What else is done to a PV guest that is being built. */
export class XenPvBuilder implements PvBuilder {
  readonly machine: XenMachineMap
  readonly #platform: Platform
  readonly #domId: number
  readonly #check: () => void

  constructor(platform: Platform, domId: number, check: () => void) {
    this.#platform = platform
    this.#domId = domId
    this.#check = check
    this.machine = new XenMachineMap(platform, 'native') // the 32-bit table is for reading page tables only
  }

  async sharedInfoFrame(): Promise<number> {
    return Promise.resolve(Number(domainInfo(this.#platform, this.#domId).sharedInfoFrame))
  }

  async width(): Promise<4 | 8> {
    return Promise.resolve(guestWidth(this.#platform, this.#domId))
  }

  async setWidth(width: 4 | 8): Promise<void> {
    this.#check()
    if ((await this.width()) === width) return
    const { result } = this.#platform.domctl.try(this.#domId, 'setAddressSize', { size: width * 8 })
    if (result === -ERRNO.EINVAL || result === -ERRNO.EOPNOTSUPP || result === -ERRNO.ENOSYS) {
      throw new BackendError('BACKEND_UNSUPPORTED', `this host does not run ${width * 8}-bit PV guests`, { hint: 'Xen has to be built and started with them: pv=32' })
    }
    if (result < 0) throw refused('BACKEND_STATE', `the word width of domain ${this.#domId} cannot change`, -result)
  }

  async pin(tables: readonly { readonly level: 1 | 2 | 3 | 4; readonly mfn: number }[]): Promise<void> {
    this.#check()
    if (tables.length > FRAMES_PER_CALL) throw new BackendError('BACKEND_PAGE_TABLE', `${tables.length} page tables at once, ${FRAMES_PER_CALL} is the most`)
    const { hypercalls } = this.#platform
    const { size } = stable.mmuext
    withBuffer(hypercalls, tables.length * size, ({ address, bytes }) => {
      for (const [i, { level, mfn }] of tables.entries()) writeStruct(stable.mmuext, bytes, i * size, { cmd: level - 1, mfn: BigInt(mfn) })
      const result = hypercalls.call(HYPERCALL.mmuextOp, address, tables.length, 0, this.#domId)
      if (result < 0) throw refused('BACKEND_PAGE_TABLE', `page tables of domain ${this.#domId} are refused`, -result, 'an entry names a page that is not the guest’s, or one in use as something else; `xl dmesg` may tell which')
    })
    return Promise.resolve()
  }

  close(): void {
    this.machine.close()
  }
}
