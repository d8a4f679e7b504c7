import { PAGE_SIZE, tableLevel, XC } from '@xen-replication/format'
import type { GuestForRestore, PvBuilder } from '@xen-replication/hypervisor'
import { tableLevels, type GuestWidth } from '../../pv/guest-width.ts'
import { VCPU_PLACES } from '../../pv/vcpu-places.ts'
import type { Populator } from '../populate.ts'
import { localiseTable } from '../pv/localise.ts'
import { P2mFrames } from '../pv/p2m-frames.ts'
import { pinTables } from '../pv/pin.ts'
import type { PvPages } from '../pv/pv-pages.ts'
import { takeSharedInfo } from '../pv/shared-info.ts'
import { fitStartInfo } from '../pv/start-info.ts'
import { localiseContext, setWord, wordAt } from '../pv/vcpu-context.ts'
import { VCPU_PARTS, VcpuStates, type VcpuPart } from '../pv/vcpu-state.ts'
import { recordName, type RecordHead } from '../record-head.ts'
import type { RecordRule } from '../record-rule.ts'
import { hex, outOfOrder, refused, RestoreError, type StreamPlace } from '../restore-error.ts'
import type { StaticData } from '../static-data.ts'
import { withPage } from '../with-page.ts'
import type { GuestTarget, RingFrames } from './guest-target.ts'

/** What a PV guest is restored with. */
export interface PvScene {
  readonly guest: GuestForRestore
  readonly pv: PvBuilder
  readonly pages: PvPages
  readonly populator: Populator
  readonly staticData: StaticData
}

/** PV guests of 32 and 64 bits. */
export class PvTarget implements GuestTarget {
  readonly kind = 'pv'
  readonly holes = 'noted'
  readonly rules: ReadonlyMap<number, RecordRule>
  readonly #scene: PvScene
  readonly #p2mFrames = new P2mFrames()
  readonly #vcpus: VcpuStates
  #width: GuestWidth
  #informed = false
  #complete = false

  /** @param width of the domain as it stands. */
  constructor(scene: PvScene, width: GuestWidth) {
    this.#scene = scene
    this.#width = width
    this.#vcpus = new VcpuStates(scene.guest.facts.maxVcpuId, () => this.#width)
    this.rules = new Map<number, RecordRule>([
      [XC.X86_PV_INFO, { check: checkInfo, apply: (body, head) => this.#inform(body, head) }],
      [XC.X86_PV_P2M_FRAMES, { check: (body, head) => P2mFrames.check(body, head), apply: (body, head) => this.#takeP2m(body, head) }],
      [XC.SHARED_INFO, { check: checkSharedInfo, apply: (body, head) => this.#takeSharedInfo(body, head) }],
      ...this.#vcpus.rules,
    ])
  }

  mayHave(pfn: number): boolean {
    return pfn <= this.#scene.pages.maxPfn
  }

  pageRefused(pfn: number, place: StreamPlace): RestoreError {
    const { maxPfn } = this.#scene.pages
    const why = maxPfn < 0 ? 'X86_PV_P2M_FRAMES has not come' : `the end is ${hex(maxPfn)}`
    return refused('XC_PFN_RANGE', place, `pfn ${hex(pfn)}, and ${why}`)
  }

  setType(pfn: number, type: number): void {
    this.#scene.pages.setType(pfn, type)
  }

  frame(pfn: number): number {
    return this.#scene.pages.mfn(pfn)
  }

  tableLevel(type: number): number {
    return tableLevel(type)
  }

  localise(words: Uint32Array, level: number, place: StreamPlace): Promise<void> {
    const { pages, populator, pv } = this.#scene
    return localiseTable({ pages, populator, machine: pv.machine }, words, level, place)
  }

  async complete(place: StreamPlace): Promise<RingFrames> {
    if (this.#complete) throw outOfOrder('a PV guest can be completed once')
    this.#complete = true
    const { guest, pages, pv } = this.#scene
    const frames = await this.#setVcpus(place)
    await pinTables(pv, pages)
    await this.#p2mFrames.rewrite(guest.memory, pages, this.#width)
    return frames
  }

  async #inform(body: Uint8Array, head: RecordHead): Promise<void> {
    if (this.#informed) throw refused('XC_PV_INFO_TWICE', head)
    this.#informed = true
    const { pv } = this.#scene
    const width = body[0] as GuestWidth
    if (width !== this.#width) {
      await pv.setWidth(width)
      this.#width = await pv.width()
    }
    if (width !== this.#width) {
      const { offset, record } = head
      throw new RestoreError('RESTORE_WIDTH', `a guest of ${8 * width} bits is wanted, the domain stays at ${8 * this.#width}`, { offset, record })
    }
  }

  async #takeP2m(body: Uint8Array, head: RecordHead): Promise<void> {
    await this.#scene.staticData.requireOver(head)
    this.#requireInfo(head)
    this.#scene.pages.reach(this.#p2mFrames.take(body, head, this.#width))
  }

  async #takeSharedInfo(body: Uint8Array, head: RecordHead): Promise<void> {
    this.#requireInfo(head)
    const { guest, pv } = this.#scene
    await withPage(guest.memory, await pv.sharedInfoFrame(), (page) => takeSharedInfo(page, body, this.#width))
  }

  #requireInfo(head: RecordHead): void {
    if (!this.#informed) throw refused('XC_PV_INFO_MISSING', head, recordName(head))
  }

  async #setVcpus(place: StreamPlace): Promise<RingFrames> {
    const { guest } = this.#scene
    const first = this.#vcpus.get(0, 'context')
    if (first === undefined) throw refused('XC_VCPU0_MISSING', place)
    const { frames, context } = await this.#firstContext(first)
    for (const id of this.#vcpus.ids()) {
      for (const part of VCPU_PARTS) {
        const state = id === 0 && part === 'context' ? { ...first, bytes: context } : this.#vcpus.get(id, part)
        if (state === undefined) continue
        const bytes = part === 'context' ? localiseContext(state, id, this.#width, this.#scene.pages) : state.bytes
        await guest.cpu.setPvVcpu(id, part, bytes)
      }
    }
    return frames
  }

  /** vCPU 0 tells where start_info is, and is told where that is on this host. */
  async #firstContext({ bytes, place }: VcpuPart): Promise<{ readonly frames: RingFrames; readonly context: Uint8Array<ArrayBuffer> }> {
    const { guest, pages, pv } = this.#scene
    const width = this.#width
    const context = bytes.slice()
    const view = new DataView(context.buffer)
    const at = VCPU_PLACES[width].startInfo
    const scene = { memory: guest.memory, pages, width, rings: guest.rings, sharedInfoFrame: await pv.sharedInfoFrame() }
    const { mfn, ...frames } = await fitStartInfo(scene, wordAt(view, at, width), place)
    setWord(view, at, width, mfn)
    return { frames, context }
  }
}

function checkInfo(body: Uint8Array, head: RecordHead): void {
  if (body.length < 8) throw refused('XC_PV_INFO_SHORT', head, `${body.length} bytes`)
  const [width, levels] = body as unknown as [number, number]
  const detail = `width ${width}, levels ${levels}`
  if ((width !== 4 && width !== 8) || (levels !== 3 && levels !== 4)) throw refused('XC_PV_INFO_WIDTH', head, detail)
  if (levels !== tableLevels(width)) throw refused('XC_PV_INFO_COMBINATION', head, detail)
}

function checkSharedInfo({ length }: Uint8Array, head: RecordHead): void {
  if (length !== PAGE_SIZE) throw refused('XC_SHARED_INFO_LENGTH', head, `${length} bytes`)
}
