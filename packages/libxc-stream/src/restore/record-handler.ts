import { OPTIONAL_RECORD, PAGE_SIZE, paddingOf, viewOf, XC } from '@xen-replication/format'
import type { GuestForRestore } from '@xen-replication/hypervisor'
import type { GuestTarget, RingFrames } from './guests/guest-target.ts'
import type { HeldRecords } from './held-records.ts'
import type { ImageStart } from './image-start.ts'
import { PageFront } from './page-front.ts'
import { PagePlacer } from './place-pages.ts'
import type { Populator } from './populate.ts'
import { readBody, recordName, skipBody, type RecordHead } from './record-head.ts'
import type { RecordRule } from './record-rule.ts'
import type { RestoreObserver } from './restore-event.ts'
import { refused, type StreamPlace } from './restore-error.ts'
import type { StaticData } from './static-data.ts'
import type { StreamFeed } from './stream-feed.ts'

const TSC_SIZE = 24

/** Record types that belong to one kind of guest; the other kind refuses them. */
const PV_ONLY: readonly number[] = [
  XC.X86_PV_INFO,
  XC.X86_PV_P2M_FRAMES,
  XC.X86_PV_VCPU_BASIC,
  XC.X86_PV_VCPU_EXTENDED,
  XC.X86_PV_VCPU_XSAVE,
  XC.X86_PV_VCPU_MSRS,
  XC.SHARED_INFO,
]
const HVM_ONLY: readonly number[] = [XC.HVM_CONTEXT, XC.HVM_PARAMS]

/** What records are applied to. */
export interface HandlerScene {
  readonly guest: GuestForRestore
  readonly target: GuestTarget
  readonly populator: Populator
  readonly staticData: StaticData
  readonly observe: RestoreObserver
}

/** Does what the records of an image say, one at a time, or puts them by. */
export class RecordHandler {
  readonly #scene: HandlerScene
  readonly #rules: ReadonlyMap<number, RecordRule>
  readonly #front = new PageFront()
  readonly #placer = new PagePlacer()
  #verifying = false
  #entries = 0
  #contents = 0

  constructor(scene: HandlerScene) {
    this.#scene = scene
    this.#rules = new Map<number, RecordRule>([
      [XC.X86_TSC_INFO, { check: checkTsc, apply: (body) => this.#setTsc(body) }],
      [XC.VERIFY, { check: () => undefined, apply: () => this.#verify() }],
      ...scene.staticData.rules,
      ...scene.target.rules,
    ])
  }

  get kind(): 'pv' | 'hvm' {
    return this.#scene.target.kind
  }

  begin({ version, guest, converted }: ImageStart): void {
    this.#scene.staticData.version = version
    this.#scene.observe({ type: 'image', version, guest, converted })
  }

  /** Reads the rest of a record and does what it says. @throws RestoreError; BackendError */
  async take(feed: StreamFeed, head: RecordHead): Promise<void> {
    if (head.type === XC.PAGE_DATA) return this.#takePages(feed, head)
    const rule = this.#ruleOf(head)
    if (rule === undefined) {
      await skipBody(feed, head)
      return this.#scene.observe({ type: 'skipped', recordType: head.type, offset: head.offset })
    }
    const body = await readBody(feed, head)
    rule.check(body, head)
    await rule.apply(body, head)
  }

  /** Reads the rest of a record, judges it by itself, and keeps it. @throws RestoreError */
  async hold(feed: StreamFeed, head: RecordHead, held: HeldRecords): Promise<void> {
    if (head.type === XC.PAGE_DATA) return this.#holdPages(feed, head, held)
    const rule = this.#ruleOf(head)
    if (rule === undefined) throw refused('XC_OPTIONAL_IN_CHECKPOINT', head, recordName(head))
    held.begin(head)
    const body = await readBody(feed, head)
    rule.check(body, head)
    held.add(body)
    held.add(new Uint8Array(paddingOf(head.length)))
  }

  complete(place: StreamPlace): Promise<RingFrames> {
    this.#scene.staticData.requireUsed(place)
    return this.#scene.target.complete(place)
  }

  async #takePages(feed: StreamFeed, head: RecordHead): Promise<void> {
    const { guest, target, populator, staticData, observe } = this.#scene
    await staticData.requireOver(head)
    const pages = await this.#front.read(feed, head)
    const mismatch = this.#verifying ? (pfn: number): void => observe({ type: 'verify-mismatch', pfn }) : undefined
    const onlyHoles = pages.plain && pages.contents === 0
    if (!onlyHoles || target.holes === 'noted') await this.#placer.place({ memory: guest.memory, target, populator, mismatch }, feed, head, pages)
    this.#entries += pages.count
    this.#contents += pages.contents
    observe({ type: 'pages', entries: this.#entries, contents: this.#contents, bytes: feed.offset })
  }

  async #holdPages(feed: StreamFeed, head: RecordHead, held: HeldRecords): Promise<void> {
    held.begin(head)
    const { count, reserved, entries, contents } = await this.#front.read(feed, head)
    held.add(new Uint8Array(Uint32Array.of(count, reserved).buffer))
    held.add(entries)
    for (let left = contents * PAGE_SIZE; left > 0; ) {
      const bytes = await feed.some(left, head.cut)
      held.add(bytes)
      left -= bytes.length
    }
  }

  /** @returns undefined for a record that may be passed over. @throws RestoreError for one that may not come at all. */
  #ruleOf(head: RecordHead): RecordRule | undefined {
    const { type } = head
    const rule = this.#rules.get(type)
    if (rule !== undefined || type >= OPTIONAL_RECORD) return rule
    const code =
      type === XC.TOOLSTACK
        ? 'XC_TOOLSTACK'
        : type === XC.CHECKPOINT_DIRTY_PFN_LIST
          ? 'XC_DIRTY_LIST_FORWARD'
          : PV_ONLY.includes(type) || HVM_ONLY.includes(type)
            ? 'XC_FOREIGN_RECORD'
            : 'XC_UNKNOWN_MANDATORY'
    throw refused(code, head, recordName(head))
  }

  #verify(): void {
    this.#verifying = true
    this.#scene.observe({ type: 'verify-begin' })
  }

  #setTsc(body: Uint8Array): Promise<void> {
    const view = viewOf(body)
    return this.#scene.guest.cpu.setTsc({
      mode: view.getUint32(0, true),
      khz: view.getUint32(4, true),
      nsec: view.getBigUint64(8, true),
      incarnation: view.getUint32(16, true),
    })
  }
}

function checkTsc({ length }: Uint8Array, head: RecordHead): void {
  if (length !== TSC_SIZE) throw refused('XC_TSC_LENGTH', head, `${length} bytes`)
}
