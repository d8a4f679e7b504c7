import type { RestoreEvent, RestoreObserver } from '@xen-replication/libxc-stream'
import type { Report } from './report.ts'

/** Tells libxl how a restore gets on. How far it is cannot be told: an image does not say how long it is. */
export function tellRestore(report: Report): RestoreObserver {
  return (event: RestoreEvent) => {
    switch (event.type) {
      case 'image':
        report.log('info', `restoring ${event.guest === 'pv' ? 'a PV' : 'an HVM or PVH'} guest from an image of version ${event.version}${event.converted ? ', converted from the legacy format' : ''}`)
        break
      case 'verify-begin':
        report.log('info', 'comparing memory with what comes once more')
        break
      case 'verify-mismatch':
        report.log('error', `the page at pfn 0x${event.pfn.toString(16)} is not what was sent`)
        break
      case 'skipped':
        report.log('info', `a record of type 0x${event.recordType.toString(16)} was passed over (at byte ${event.offset})`)
        break
      case 'checkpoint':
        report.log('info', `checkpoint ${event.epoch} processed: ${event.bytes} bytes are part of the guest`)
    }
  }
}
