import {
  encodeCheckpointState,
  encodeDirtyPfnRecord,
  FormatError,
  readBackChannel,
  type BackChannelRecord,
  type ByteReader,
  type ByteSink,
  type CheckpointStateName,
  type DirtyPfnOptions,
} from '@xen-replication/format'

/** What a COLO secondary tells its primary. */
export type SecondaryState = Exclude<CheckpointStateName, 'NEW'>

/** The primary's end of COLO's back channel. */
export class BackChannel {
  readonly #reader: ByteReader
  readonly #records: AsyncGenerator<BackChannelRecord, void, void>

  constructor(reader: ByteReader, options: DirtyPfnOptions = {}) {
    this.#reader = reader
    this.#records = readBackChannel(reader, options)
  }

  /** Waits for the secondary to say `state`. @throws FormatError FMT_BACK_CHANNEL when it says something else, FMT_TRUNCATED when it is gone */
  async expect(state: SecondaryState): Promise<void> {
    const record = await this.#next(state)
    if (record.kind !== 'state' || record.name !== state) throw unexpected(record, state)
  }

  /** Waits for the pfns that the secondary wrote, which come behind SVM_SUSPENDED. @throws as `expect()` */
  async dirtyPfns(): Promise<readonly number[]> {
    const record = await this.#next('a list of pfns')
    if (record.kind !== 'dirty') throw unexpected(record, 'a list of pfns')
    return record.pfns
  }

  async #next(wanted: string): Promise<BackChannelRecord> {
    const { offset } = this.#reader
    const { value } = await this.#records.next()
    if (value !== undefined) return value
    throw new FormatError('FMT_TRUNCATED', `the secondary is gone; ${wanted} was due`, { offset, hint: 'look at the secondary’s log' })
  }
}

function unexpected(record: BackChannelRecord, wanted: string): FormatError {
  const came = record.kind === 'dirty' ? 'a list of pfns' : (record.name ?? `state ${record.id}`)
  return new FormatError('FMT_BACK_CHANNEL', `${wanted} was due, ${came} came`, { offset: record.offset, hint: 'the two sides are out of step; start replication anew' })
}

/** The secondary's end. */
export interface BackChannelWriter {
  say(state: SecondaryState): Promise<void>
  /** @param pfns ascending. */
  dirtyPfns(pfns: readonly number[]): Promise<void>
}

/** @param options.quirk to speak to a primary that expects what Xen's own 64-bit secondary sends. */
export const openBackChannelWriter = (sink: ByteSink, options: DirtyPfnOptions = {}): BackChannelWriter => ({
  say: (state) => sink.write([encodeCheckpointState(state)]),
  dirtyPfns: (pfns) => sink.write([encodeDirtyPfnRecord(pfns, options)]),
})
