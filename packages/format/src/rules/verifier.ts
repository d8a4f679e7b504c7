import { andThen, type Soon } from '../bytes/soon.ts'
import { LIBXC_BODY_MAX } from '../bytes/limits.ts'
import type { HeaderItem, Item, LegacyItem, RecordItem, StopItem } from '../image/item.ts'
import { XL2 } from '../libxl/record-types.ts'
import { XC } from '../libxc/record-types.ts'
import { checkCompletion, checkStartInfo } from './check-completion.ts'
import { checkDomainHeader, checkImageHeader, checkLibxlHeader } from './check-headers.ts'
import { judgeLegacy } from './check-legacy.ts'
import { checkLibxlRecord } from './check-libxl-record.ts'
import { checkPages, type PageScene } from './check-pages.ts'
import { checkRecord } from './check-record.ts'
import { checkStop } from './check-stop.ts'
import { checkXlBlock, checkXlHeader, type XlFlags } from './check-xl.ts'
import type { Verification, VerifyOptions } from './finding.ts'
import { Findings } from './findings.ts'
import { PageContents } from './page-contents.ts'
import { recallByLook, recallByPlace } from './page-recall.ts'
import type { RecordScene } from './scene.ts'
import { dropState, keepState, newImageState, newStreamState, type ImageState, type StreamState } from './state.ts'
import type { Verdict } from './verdict.ts'

/** Judges the items of one walk, in order. */
export interface Verifier {
  /** Looks at an item; may read the bodies of records. */
  item(item: Item): Soon<void>
  /** After the stop item. */
  finish(): Verification
}

/** Makes a judge for one image. To judge a whole image in one call, see `verify()`. */
export function createVerifier(options: VerifyOptions = {}): Verifier {
  const verification = new RunningVerification(options)
  return { item: (item) => verification.item(item), finish: () => verification.finish() }
}

class RunningVerification {
  readonly #options: VerifyOptions
  readonly #depth: 'headers' | 'rules' | 'data'
  readonly #findings = new Findings()
  readonly #stream: StreamState
  readonly #pages: PageScene
  #flags: XlFlags | undefined
  #format: Verification['format'] = 'unknown'
  #bytes = 0
  #legacy: Verification['legacy']
  /** What a record brings about when its body and padding have come. */
  #onceRead: ((next: Item) => Soon<void>) | undefined
  /** What the receiver falls back to: the image as of the last complete checkpoint. */
  #checkpoint: { readonly image: ImageState; readonly offset: number; readonly findings: Findings } | undefined
  /** What the receiver would find wrong when it starts the guest. */
  #completion = new Findings()

  constructor(options: VerifyOptions) {
    this.#options = options
    this.#depth = options.depth ?? 'rules'
    this.#stream = newStreamState(options)
    this.#pages = {
      depth: this.#depth,
      contents: new PageContents(options.digest ?? (() => 0)),
      recall: options.reread === undefined ? recallByLook() : recallByPlace(options.reread),
    }
  }

  item(item: Item): Soon<void> {
    const onceRead = this.#onceRead
    this.#onceRead = undefined
    if (onceRead === undefined || (item.kind === 'stop' && (item.during === 'body' || item.during === 'padding'))) return this.#judge(item)
    return andThen(onceRead(item), () => this.#judge(item))
  }

  #judge(item: Item): Soon<void> {
    switch (item.kind) {
      case 'record':
        return item.layer === 'libxl' ? this.#libxlRecord(item) : this.#libxcRecord(item)
      case 'padding':
        return this.#findings.add(item.layer === 'libxl' ? 'XL2_PADDING' : 'XC_PADDING', { offset: item.offset, record: item.index })
      case 'stop':
        return this.#stop(item)
      case 'legacy':
        return this.#legacyPayload(item)
      default:
        return this.#header(item)
    }
  }

  finish(): Verification {
    const findings = [...this.#findings.list, ...this.#completion.list]
    const judge = (who: 'strict' | 'xen' | 'verifier'): Verdict => (findings.some((finding) => finding[who] === 'reject') ? 'reject' : 'accept')
    return {
      format: this.#format,
      guest: this.#stream.image.guest,
      streamType: this.#stream.type,
      verdict: { strict: judge('strict'), xen: judge('xen'), verifier: judge('verifier') },
      findings,
      suppressed: this.#findings.suppressed + this.#completion.suppressed,
      bytes: this.#bytes,
      checkpoints: this.#stream.complete,
      legacy: this.#legacy,
      pages: this.#depth === 'data' ? this.#pages.contents.totals : undefined,
    }
  }

  #header(item: HeaderItem): void {
    const stream = this.#stream
    const report = this.#findings.at(item.offset)
    if (this.#format === 'unknown' && item.layer !== 'legacy') this.#format = item.layer
    switch (item.kind) {
      case 'xl-header':
        this.#flags = checkXlHeader(item, report)
        break
      case 'xl-block':
        checkXlBlock(item, this.#flags as XlFlags, stream, report)
        break
      case 'libxl-header':
        if (this.#flags?.v2 === false) report('XL_V2_FLAG_CLEAR')
        stream.libxl = true
        checkLibxlHeader(item, report)
        break
      case 'image-header':
        if (this.#flags?.v2 === false && !stream.libxl) report('XL_LIBXC_PAYLOAD')
        stream.image = newImageState()
        stream.libxcImages++
        checkImageHeader(item, stream.image, report)
        break
      case 'domain-header':
        checkDomainHeader(item, this.#options.domain ?? domainOf(stream), stream.image, report)
    }
  }

  async #libxlRecord(record: RecordItem): Promise<void> {
    const stream = this.#stream
    await checkLibxlRecord(record, stream, this.#findings.at(record.offset, record.index), this.#depth)
    if (record.type === XL2.END && stream.inGroup) this.#findings.commit() // libxl stops here: nothing of the checkpoint is dropped quietly
    if (record.type === XL2.CHECKPOINT_STATE && stream.stateDue) this.#findings.hold() // read at once, not with the next checkpoint
    if (record.type === XL2.CHECKPOINT_STATE && stream.told === undefined) stream.type = 'colo'
    stream.stateDue = record.type === XL2.CHECKPOINT_END && stream.type !== 'plain' && stream.told !== 'remus'
    if (record.type === XL2.CHECKPOINT_END && stream.inGroup) this.#onceRead = () => this.#checkpointComplete(record.offset)
  }

  #libxcRecord(record: RecordItem): Soon<void> {
    const { image } = this.#stream
    const report = this.#findings.at(record.offset, record.index)
    const scene: RecordScene = { record, image, vcpus: this.#stream.maxVcpus, buffering: this.#stream.begun > 0, report }
    this.#stream.recordsSince++
    this.#stream.stateDue = false
    if (this.#stream.type !== 'plain' && this.#stream.complete > 0 && isTooLong(record)) this.#findings.restorerLeaves()
    const pages = record.type === XC.PAGE_DATA ? checkPages(scene, this.#pages) : undefined
    const all = andThen(pages, () => checkRecord(scene, this.#depth))
    return andThen(all, () => {
      if (record.type === XC.CHECKPOINT) this.#onceRead = (next) => this.#checkpointBegun(record, next)
      return record.type === XC.END ? this.#imageEnds(record.offset) : undefined
    })
  }

  async #checkpointBegun(record: RecordItem, next: Item): Promise<void> {
    const stream = this.#stream
    const report = this.#findings.at(record.offset, record.index)
    const wrapped = stream.libxl
    const nested = wrapped && !(next.kind === 'record' && next.layer === 'libxc')
    if (stream.told === 'plain') report(nested ? 'XL2_CHECKPOINT_PLAIN' : 'XC_CHECKPOINT_PLAIN')
    else if (stream.type === 'plain') stream.type = 'remus'
    if (wrapped && !nested && stream.type !== 'plain') report('XL2_GROUP_MISSING')
    stream.begun++
    if (!nested) return this.#checkpointComplete(record.offset)
    stream.inGroup = true
    if (stream.begun > 1) return
    report('XL2_CHECKPOINT_NESTED')
    this.#findings.hold()
  }

  /** Everything up to here has reached the receiver and is applied; what follows waits for the next one. */
  async #checkpointComplete(offset: number): Promise<void> {
    const { image } = this.#stream
    this.#stream.inGroup = false
    this.#stream.complete++
    this.#stream.recordsSince = 0
    this.#findings.hold()
    keepState(image)
    // start_info can be had again only now; the rest is left for the end, as it takes long and there may be many checkpoints.
    this.#checkpoint = { image, offset, findings: await this.#startInfo(offset) }
  }

  /** In a checkpointed stream libxl takes the end of the image for a failover and reads no further. */
  async #imageEnds(offset: number): Promise<void> {
    if (this.#checkpoint === undefined) this.#complete(offset, await this.#startInfo(offset))
    if (this.#stream.type !== 'plain') this.#onceRead = () => this.#findings.restorerLeaves()
  }

  async #startInfo(offset: number): Promise<Findings> {
    const findings = new Findings()
    await checkStartInfo(this.#stream.image, this.#pages.recall, findings.at(offset))
    return findings
  }

  #complete(offset: number, findings: Findings, image: ImageState = this.#stream.image): void {
    checkCompletion(image, findings.at(offset))
    this.#completion = findings
  }

  async #legacyPayload({ offset, reader }: LegacyItem): Promise<void> {
    if (this.#format === 'unknown') this.#format = 'legacy'
    this.#findings.add('XL_LEGACY_PAYLOAD', { offset })
    const { findings, suppressed, guest, summary } = await judgeLegacy(reader, this.#options.domain ?? legacyDomainOf(this.#stream))
    this.#findings.addAll(findings, suppressed)
    this.#stream.image.guest = guest ?? 'unknown'
    this.#legacy = summary
  }

  #stop(stop: StopItem): void {
    this.#bytes = stop.offset
    this.#findings.drop()
    if (this.#checkpoint !== undefined) {
      const { image, offset, findings } = this.#checkpoint
      dropState(image)
      this.#complete(offset, findings, image)
    }
    if (this.#format === 'unknown' && stop.layer !== 'legacy' && stop.reason === 'cut') this.#format = stop.layer
    checkStop(stop, this.#stream, this.#findings.at(stop.offset))
  }
}

/** What the configuration makes of the domain: PVH guests are HVM to libxc. */
const domainOf = ({ configured }: StreamState): 'pv' | 'hvm' | undefined => (configured === 'pvh' ? 'hvm' : configured)

/** The converter is told `hvm` for HVM guests only; legacy streams know no PVH. */
const legacyDomainOf = ({ configured }: StreamState): 'pv' | 'hvm' | undefined => (configured === 'pvh' ? 'pv' : configured)

const isTooLong = (record: RecordItem): boolean => record.length > LIBXC_BODY_MAX
