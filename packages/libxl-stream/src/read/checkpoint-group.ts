import { XL2 } from '@xen-replication/format'
import type { DeviceModelWriter } from '@xen-replication/hypervisor'
import { readHead, recordName, recordSize, refused, skipBody, type Dropped, type RecordHead, type StreamFeed } from '@xen-replication/libxc-stream'
import { isForEmulator, readEmulatorRecord, type EmulatorStep } from './emulator-record.ts'

/** What a libxl stream has between a libxc CHECKPOINT and CHECKPOINT_END: none of it counts before all of it is there. */
export class CheckpointGroup {
  readonly #steps: EmulatorStep[] = []
  #records = 0
  #bytes = 0

  /** What was read of it so far. */
  get size(): Dropped {
    return { records: this.#records, bytes: this.#bytes }
  }

  /**
   * Reads on to CHECKPOINT_END and not a byte further.
   *
   * @param bytesMax most bytes to hold.
   * @throws RestoreError XL2_NOT_IN_CHECKPOINT, XL2_STATE_ALONE, XL2_UNKNOWN_TYPE, and those of emulator records
   */
  async read(feed: StreamFeed, deviceModel: DeviceModelWriter | undefined, bytesMax: number): Promise<void> {
    for (;;) {
      const head = await readHead(feed, 'libxl')
      if (head === undefined) throw feed.ended({ code: 'XL2_RECORD_CUT' })
      if (head.type === XL2.CHECKPOINT_END) return skipBody(feed, head)
      if (!isForEmulator(head)) throw outOfPlace(head)
      this.#steps.push(await readEmulatorRecord(feed, head, deviceModel, bytesMax - this.#bytes))
      this.#records++
      this.#bytes += recordSize(head)
    }
  }

  /** Has the device model take it. @throws BackendError */
  async apply(): Promise<void> {
    for (const step of this.#steps) await step()
  }
}

function outOfPlace(head: RecordHead): Error {
  switch (head.type) {
    case XL2.END:
    case XL2.LIBXC_CONTEXT:
      return refused('XL2_NOT_IN_CHECKPOINT', head, recordName(head))
    case XL2.CHECKPOINT_STATE:
      return refused('XL2_STATE_ALONE', head)
    default:
      return refused('XL2_UNKNOWN_TYPE', head, recordName(head))
  }
}
