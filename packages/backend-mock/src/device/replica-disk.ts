import { BackendError, type AbortSignalLike, type ReplicaDevice } from '@xen-replication/hypervisor'
import type { Disk } from './disk.ts'
import type { DiskJournal, DiskLog } from './disk-journal.ts'

/** The copy of a simulated disk at the host that waits. */
export class ReplicaDisk implements ReplicaDevice {
  readonly kind = 'disk'
  readonly name: string
  readonly #disk: Disk
  readonly #journal: DiskJournal
  #log: DiskLog | undefined
  #stored = -1

  constructor(disk: Disk, journal: DiskJournal) {
    this.name = disk.name
    this.#disk = disk
    this.#journal = journal
  }

  setup(session: string): Promise<void> {
    this.#log = this.#journal.log(session, this.#disk.id)
    return Promise.resolve()
  }

  async received(epoch: number, signal: AbortSignalLike): Promise<void> {
    await this.#log?.whole(epoch, signal)
  }

  store(epoch: number): Promise<void> {
    this.#stored = epoch
    return Promise.resolve()
  }

  promote(epoch: number, token: bigint): Promise<void> {
    if (this.#log === undefined || epoch !== this.#stored) return Promise.reject(new BackendError('BACKEND_STATE', `the disk ${this.name} is as of epoch ${this.#stored}, not ${epoch}`))
    this.#disk.fill(this.#log.take(epoch, token))
    return Promise.resolve()
  }

  teardown(): Promise<void> {
    this.#log = undefined
    return Promise.resolve()
  }
}
