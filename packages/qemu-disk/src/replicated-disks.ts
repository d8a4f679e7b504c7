import type { CheckpointDevice } from '@xen-replication/hypervisor'
import { QemuDiskError } from './qemu-disk-error.ts'
import type { Command, QmpCommands, Step } from './qmp-commands.ts'

export interface Side {
  readonly qmp: QmpCommands
  readonly standsUntil?: 'stored'
  /** Waits a moment before a step that may have come too early is tried again; left out: it is tried once. */
  readonly again?: ((ms: number) => Promise<void>) | undefined
  readonly name: string
  readonly steps: readonly Step[]
  /** What comes before the undoing of the steps, last step first. */
  readonly stop: Command
}

/** How often, and after how many milliseconds, a step is tried that comes before the other side is ready. */
const TRIES = 40
const TRY_AGAIN_MS = 50

/** What both sides have in common: set up, asked at each checkpoint whether all is well, moved on to the next one, taken down. */
export class ReplicatedDisks implements CheckpointDevice {
  readonly name: string
  readonly kind = 'disk'
  readonly standsUntil: 'stored' | undefined
  readonly #side: Side
  #isUp = false

  constructor(side: Side) {
    this.name = side.name
    this.standsUntil = side.standsUntil
    this.#side = side
  }

  async setup(): Promise<void> {
    if (this.#isUp) throw new QemuDiskError('DISK_STATE', 'the disks are replicated already', { hint: 'report this' })
    const undo: Command[] = []
    try {
      for (const { undo: back, ...step } of this.#side.steps) {
        await this.#try(step)
        if (back !== undefined) undo.unshift(back)
      }
    } catch (error) {
      for (const one of undo) await this.#do(one).catch(() => undefined) // the first error tells more
      throw error
    }
    this.#isUp = true
  }

  /** The guest stands and QEMU has stopped it, so all its writes are at the other side. @throws QemuDiskError DISK_REPLICATION when one is not */
  async postsuspend(): Promise<void> {
    this.#requireUp()
    const status = await this.#side.qmp.execute('query-xen-replication-status')
    if (typeof status !== 'object' || status === null || !('error' in status) || typeof status.error !== 'boolean') {
      throw new QemuDiskError('DISK_ANSWER', 'QEMU does not say how replication stands', { hint: 'QEMU 2.9 or later, built with replication, is needed' })
    }
    if (!status.error) return
    const why = 'desc' in status && typeof status.desc === 'string' ? `: ${status.desc}` : ''
    throw new QemuDiskError('DISK_REPLICATION', `replication of a disk has failed${why}`, { hint: 'look at the disk and the link of both hosts; copy the disk before protecting the guest again' })
  }

  /** What was written up to now belongs to the checkpoint. */
  async preresume(): Promise<void> {
    this.#requireUp()
    await this.#side.qmp.execute('xen-colo-do-checkpoint')
  }

  commit(): Promise<void> {
    return Promise.resolve()
  }

  waiting(): Promise<number> {
    return Promise.resolve(0)
  }

  /** Goes through to the end whatever fails. @throws the first that failed */
  async teardown(): Promise<void> {
    if (!this.#isUp) return
    this.#isUp = false
    const undo = this.#side.steps.flatMap(({ undo: back }) => (back === undefined ? [] : [back])).reverse()
    const failures: unknown[] = []
    for (const one of [this.#side.stop, ...undo]) await this.#do(one).catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }

  /** @throws what the last try failed with */
  async #try({ early = false, ...step }: Step): Promise<void> {
    for (let tries = this.#side.again !== undefined && early ? TRIES : 1; tries > 1; tries -= 1) {
      const failed = await this.#do(step).then(() => false, () => true)
      if (!failed) return
      await this.#side.again?.(TRY_AGAIN_MS)
    }
    await this.#do(step)
  }

  async #do({ command, args }: Command): Promise<void> {
    await this.#side.qmp.execute(command, args)
  }

  #requireUp(): void {
    if (!this.#isUp) throw new QemuDiskError('DISK_STATE', 'the disks are not replicated', { hint: 'report this' })
  }
}
