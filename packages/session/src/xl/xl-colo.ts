import { ByteReader, encodeCheckpointState, encodeDirtyPfnRecord, encodeRecord, FormatError, readBackChannel, type BackChannelRecord, type ByteSink, type CheckpointStateName, type DirtyPfnOptions } from '@xen-replication/format'
import { LinkError, type AbortSignalLike, type Channel, type Clock } from '@xen-replication/plugin-api'
import { asError } from '../wire/as-error.ts'
import { Condition } from '../wire/condition.ts'
import { within } from '../wire/within.ts'
import { XlEar } from './listen.ts'
import { UNKNOWN_RECORD, XlEpochReceiver } from './xl-epochs.ts'
import { xlTimes, type XlTimes } from './xl-times.ts'

/** How the words of the strategy are said on the back channel. */
const STATES = { stored: 'SVM_READY', 'svm-suspended': 'SVM_SUSPENDED', 'svm-resumed': 'SVM_RESUMED' } as const satisfies Readonly<Record<string, CheckpointStateName>>

const WORDS: ReadonlyMap<string, string> = new Map(Object.entries(STATES).map(([word, state]) => [state, word]))

/** Records that wait to be taken: the secondary has to wait for answers. */
const RECORDS_MAX = 8

/**
 * The primary's side of libxl's COLO: states and lists of dirty pages come back as records without a header. The peer takes over whenever the stream
 * ends; only a stream that makes no sense has it destroy its copy.
 *
 * @see docs/specs/libxl-migration-stream.pandoc, "CHECKPOINT_STATE"; tools/libs/light/libxl_colo_save.c
 */
export class XlColoSender {
  readonly id = 'xl'
  readonly #channel: Channel
  readonly #clock: Clock
  readonly #options: DirtyPfnOptions
  readonly #times: Required<XlTimes>
  readonly #gone = new AbortController()
  readonly #changed = new Condition()
  readonly #records: BackChannelRecord[] = []
  #back: 'open' | 'ended' = 'open'
  #failure: Error | undefined
  /** What the end of the peer means. */
  #last: 'left' | 'taken' | undefined

  /** @param options.quirk where the peer is Xen's own 64-bit secondary. @param times `answerMs` is the longest wait for each state */
  constructor(channel: Channel, clock: Clock, options: DirtyPfnOptions = {}, times: XlTimes = {}) {
    this.#channel = channel
    this.#clock = clock
    this.#options = options
    this.#times = { ...xlTimes, ...times }
  }

  get signal(): AbortSignalLike {
    return this.#gone.signal
  }

  /** Waits for the peer to be there. @throws FormatError FMT_HANDSHAKE; LinkError; the reason of `signal` */
  async begin(signal: AbortSignalLike): Promise<void> {
    await new XlEar(this.#channel, this.#clock).message('banner', this.#times.bannerMs, signal)
    void this.#listen()
  }

  sink(): ByteSink {
    return this.#channel
  }

  /** The stream itself says where a checkpoint ends. */
  endEpoch(): Promise<void> {
    return Promise.resolve()
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }

  /** Packets go from QEMU to QEMU; none come here. */
  onPackets(): void {
    // nobody is told
  }

  /** `leave` and `yours` are said by how the stream ends; others cannot be said. */
  async say(word: string): Promise<void> {
    if (word === 'leave') {
      this.#last = 'left'
      await this.#channel.write([encodeRecord(UNKNOWN_RECORD, new Uint8Array(0))])
    } else if (word === 'yours') {
      this.#last = 'taken'
      await this.#channel.end()
    }
  }

  /** @throws LinkError LINK_TIMEOUT, LINK_LOST; FormatError FMT_BACK_CHANNEL for what is not due */
  async next(): Promise<string> {
    if (this.#last !== undefined) return this.#end(this.#last)
    const word = await this.#soon('the next state of the secondary', this.heard())
    this.take()
    return word
  }

  /** As `next`, without an end to the waiting; the word stays until it is taken. */
  async heard(): Promise<string> {
    const record = await this.#record()
    const word = record.kind === 'state' && record.name !== undefined ? WORDS.get(record.name) : undefined
    return word ?? this.#refuse(record, 'a state of the secondary')
  }

  take(): void {
    this.#records.shift()
  }

  /** The pfns that the secondary's guest has written. @throws as `next` */
  async dirtyPfns(): Promise<readonly number[]> {
    const record = await this.#soon('the list of dirty pages', this.#record())
    if (record.kind !== 'dirty') return this.#refuse(record, 'the list of dirty pages')
    this.take()
    return record.pfns
  }

  cut(error: unknown): void {
    this.#failure ??= asError(error)
    this.#gone.abort(this.#failure)
    this.#changed.notify()
    void this.#channel.close()
  }

  async #listen(): Promise<void> {
    try {
      for await (const record of readBackChannel(new ByteReader(this.#channel), this.#options)) {
        if (this.#last !== undefined) continue // nothing that is still said matters
        if (this.#records.push(record) > RECORDS_MAX) throw new FormatError('FMT_BACK_CHANNEL', 'the secondary says more than it is asked', { offset: record.offset })
        this.#changed.notify()
      }
      if (this.#last === undefined) throw new LinkError('LINK_LOST', 'the peer has ended', { hint: 'look at the output of the other side' })
      this.#over()
    } catch (error) {
      if (this.#last === 'left') this.#over()
      else this.cut(error) // a command that failed has not taken the guest
    }
  }

  #over(): void {
    this.#back = 'ended'
    this.#changed.notify()
  }

  async #end(last: 'left' | 'taken'): Promise<string> {
    await this.#soon('the end of the peer', this.#changed.until(() => this.#back === 'ended' || this.#checked()))
    return last
  }

  async #record(): Promise<BackChannelRecord> {
    await this.#changed.until(() => this.#records.length > 0 || this.#checked())
    return this.#records[0] as BackChannelRecord
  }

  #checked(): false {
    if (this.#failure !== undefined) throw this.#failure
    return false
  }

  #soon<T>(what: string, work: Promise<T>): Promise<T> {
    return within(this.#clock, this.#times.answerMs, what, work)
  }

  #refuse(record: BackChannelRecord, wanted: string): never {
    const came = record.kind === 'dirty' ? 'a list of dirty pages' : (record.name ?? `state ${record.id}`)
    const error = new FormatError('FMT_BACK_CHANNEL', `${wanted} was due, ${came} came`, { offset: record.offset, hint: 'the two sides are out of step; begin anew' })
    this.cut(error)
    throw error
  }
}

/** The secondary's side of libxl's COLO. Whatever the primary has to say is in its stream. */
export class XlColoReceiver extends XlEpochReceiver {
  readonly #back: Channel
  readonly #options: DirtyPfnOptions

  /** @param options.quirk to speak to a primary that expects what Xen's own 64-bit secondary sends. */
  constructor(channel: Channel, options: DirtyPfnOptions = {}) {
    super(channel)
    this.#back = channel
    this.#options = options
  }

  override stored(): Promise<void> {
    return this.say('stored')
  }

  /** Words that are no states cannot be said. @throws LinkError */
  override async say(word: string): Promise<void> {
    if (Object.hasOwn(STATES, word)) await this.#back.write([encodeCheckpointState(STATES[word as keyof typeof STATES])])
  }

  /** @param pfns ascending. @throws LinkError */
  dirtyPfns(pfns: readonly number[]): Promise<void> {
    return this.#back.write([encodeDirtyPfnRecord(pfns, this.#options)])
  }

  /** They go from QEMU to QEMU. */
  packets(): Promise<void> {
    return Promise.resolve()
  }
}
