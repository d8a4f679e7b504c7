import { ByteReader, readDirtyPfnRecord } from '@xen-replication/format'
import type { SentPacket } from '../frame/packets.ts'
import type { Session } from '../session.ts'
import { within } from '../wire/within.ts'
import { BackTraffic } from './back-traffic.ts'
import { EpochSender } from './epoch-sender.ts'

/** The sending side of a replication whose receiver runs the guest as well. */
export class LockstepSender extends EpochSender {
  readonly #session: Session
  #packets: (packets: readonly SentPacket[]) => void = () => undefined
  #traffic: BackTraffic | undefined
  #back: ByteReader | undefined

  constructor(session: Session, stalledMs: number) {
    super(session, stalledMs)
    this.#session = session
  }

  /** Who is told of packets of the peer's guest. They come in order with words: those before `svm-suspended` are of before the checkpoint. */
  onPackets(told: (packets: readonly SentPacket[]) => void): void {
    this.#packets = told
  }

  override heard(): Promise<string> {
    return this.#begun().word()
  }

  override take(word: string): void {
    this.#begun().take()
    this.tookWord(word)
  }

  /** The pfns that the peer's guest has written. @throws LinkError LINK_TIMEOUT; FormatError; as `Session.peek` */
  dirtyPfns(): Promise<readonly number[]> {
    const back = (this.#back ??= new ByteReader(this.#begun().bytes))
    return within(this.#session.clock, this.stalledMs, 'the list of dirty pages', readDirtyPfnRecord(back))
  }

  /** From the first word on what comes is taken in. */
  #begun(): BackTraffic {
    return (this.#traffic ??= new BackTraffic(this.#session, (item) => this.wordOf(item), (packets) => this.#packets(packets)))
  }
}
