import { XrError, type ErrorDetail } from '@xen-replication/errors'

/** What each code of replicated disks means; `docs/errors.md` is made from it. */
export const qemuDiskCodes = {
  DISK_OPTION: 'A disk, an export or an address has a name that QEMU cannot take.',
  DISK_REPLICATION: 'QEMU says that replication of a disk has failed: its two copies differ.',
  DISK_ANSWER: 'QEMU answers something that it should not.',
  DISK_STATE: 'Disks were used before they were set up, or after they were taken down.',
} as const

export type QemuDiskErrorCode = keyof typeof qemuDiskCodes

/** Disks cannot be replicated. What QEMU refuses comes as the error of the link to it. */
export class QemuDiskError extends XrError<QemuDiskErrorCode> {
  override readonly name = 'QemuDiskError'

  constructor(code: QemuDiskErrorCode, what: string, detail: ErrorDetail = {}) {
    super(code, what, detail)
  }
}
