import { XrError, type ErrorDetail } from '@xen-replication/errors'

/** What each code of this package means; `docs/errors.md` is made from it. */
export const qemuCodes = {
  QEMU_OUT_OF_STEP: 'The other QEMU said something that has no place at this point of the COLO protocol.',
  QEMU_NOT_COLO: 'The migration that came in is a plain one: its sender does not replicate.',
  QEMU_STORE_BUSY: 'Another process is at work on the store of a backup.',
  QEMU_STORE_EMPTY: 'The store of a backup holds no complete checkpoint.',
  QEMU_STORE_DAMAGED: 'The store of a backup holds other bytes than were written.',
  QEMU_STORE_IO: 'The store of a backup cannot be read or written.',
  QEMU_START: 'A QEMU that should go on from a checkpoint did not start, or ended before it had it.',
  QEMU_CAPTURE: 'A recording of what two QEMUs said cannot be read or written, or is not of a COLO primary.',
  QEMU_PAIR: 'Two QEMUs did not begin to replicate; what was set up for it was taken away again.',
  QEMU_FAILOVER: 'The QEMU that is left of a pair did not go on alone in time.',
  QEMU_TOO_LARGE: 'The guest has more memory than the store may take.',
} as const

export type QemuErrorCode = keyof typeof qemuCodes

/** What to do next, unless an error knows better. */
const hints: Readonly<Record<QemuErrorCode, string>> = {
  QEMU_OUT_OF_STEP: 'the checkpoint is lost, the one before it is safe; use QEMU 3.1 or later on the other side',
  QEMU_NOT_COLO: 'set the capability x-colo at the sender before `migrate`',
  QEMU_STORE_BUSY: 'a backup that still runs has a primary that may run, too: make sure that it is dead, and end `xr qemu-backup`; or use another directory',
  QEMU_STORE_EMPTY: 'the primary was lost before its first complete state had come',
  QEMU_STORE_DAMAGED: 'do not start a guest from it; check the disk, and whether another version of xr wrote it',
  QEMU_STORE_IO: 'check space, permissions and the disk',
  QEMU_START: 'give the command line of the primary without -S and -incoming, and the program where it is found',
  QEMU_CAPTURE: 'give the file of the direction from the primary to the secondary, and a place that can be written',
  QEMU_PAIR: 'look at what both QEMUs printed; machine, memory and devices must be the same on both sides',
  QEMU_FAILOVER: 'look at it with `query-status` and `query-colo-status`; x-colo-lost-heartbeat may be given again',
  QEMU_TOO_LARGE: 'give the store a larger limit',
}

/** Something went wrong between QEMUs, or with what is kept of one. */
export class QemuError extends XrError<QemuErrorCode> {
  override readonly name = 'QemuError'

  constructor(code: QemuErrorCode, what: string, detail: ErrorDetail = {}) {
    super(code, what, { hint: hints[code], ...detail })
  }
}
