import type { PvView } from '@xen-replication/hypervisor'
import type { Platform } from '../platform/platform.ts'
import type { DomainInfo } from '../ports/domain-info.ts'
import { XenMachineMap } from './machine-map.ts'

/** What else a saver needs of a PV guest. */
export class XenPvView implements PvView {
  readonly machine: XenMachineMap
  readonly sharedInfoFrame: number

  constructor(platform: Platform, info: DomainInfo, width: 4 | 8) {
    this.machine = new XenMachineMap(platform, width === 4 ? 'compat' : 'native')
    this.sharedInfoFrame = Number(info.sharedInfoFrame)
  }

  close(): void {
    this.machine.close()
  }
}
