import type { MachineMap } from '@xen-replication/hypervisor'
import { SharedInfoView } from '../../../src/pv/shared-info.ts'
import { findP2m, type FoundP2m } from '../../../src/save/pv/find-p2m.ts'
import { ScriptedGuest, type Script } from '../scripted-guest.ts'

const PAGE = 4096
/** pfn n of the guest is in frame FIRST + n; frames below belong to nobody. */
export const FIRST = 0x10_000
export const MAX_MFN = 0xff_ffff

/** Builds, page by page, what a PV guest tells of its p2m. */
export class P2mGuest {
  readonly width: 4 | 8
  readonly pages = new Map<number, Uint8Array>()
  readonly shared = new Uint8Array(PAGE)
  readonly machine: MachineMap = { maxMfn: MAX_MFN, pfn: (mfn) => (mfn >= FIRST ? mfn - FIRST : 0xffff_ffff), compatFirstMfn: undefined }
  #pfns = 0
  #others = 0x100
  #root: number | undefined

  constructor(width: 4 | 8, maxPfn: number) {
    this.width = width
    this.say('maxPfn', maxPfn)
  }

  get perPage(): number {
    return PAGE / this.width
  }

  say(field: 'maxPfn' | 'frameListList' | 'p2mCr3' | 'p2mVaddr' | 'p2mGeneration', value: number | bigint): void {
    const at = (this.width === 8 ? { maxPfn: 3088, frameListList: 3096, p2mCr3: 3112, p2mVaddr: 3120, p2mGeneration: 3128 } : { maxPfn: 2316, frameListList: 2320, p2mCr3: 2328, p2mVaddr: 2332, p2mGeneration: 2336 })[field]
    this.#set(this.shared, at, value)
  }

  /** A page of the guest's own, full of "no frame". @returns its frame. */
  own(): number {
    const mfn = FIRST + this.#pfns++
    this.pages.set(mfn, new Uint8Array(PAGE).fill(0xff))
    return mfn
  }

  /** A page that is nobody's, holding these frame numbers and then "no frame". */
  list(frames: readonly number[]): number {
    const mfn = this.#others++
    const page = new Uint8Array(PAGE).fill(0xff)
    frames.forEach((frame, i) => this.#set(page, i * this.width, frame))
    this.pages.set(mfn, page)
    return mfn
  }

  /** Leaves of a p2m that knows its own pages. @param count how many. */
  leaves(count: number): number[] {
    const leaves = Array.from({ length: count }, () => this.own())
    leaves.forEach((mfn) => this.put(leaves, mfn - FIRST, mfn))
    return leaves
  }

  /** Enters a frame into the p2m. */
  put(leaves: readonly number[], pfn: number, mfn: number | bigint): void {
    const leaf = leaves[Math.floor(pfn / this.perPage)] as number
    this.#set(this.pages.get(leaf) as Uint8Array, (pfn % this.perPage) * this.width, mfn)
  }

  /** Has the leaves lie in a tree. @param lists each holds up to a page of leaves. */
  tree(lists: readonly (readonly number[])[]): void {
    this.say('frameListList', this.list(lists.map((leaves) => this.list(leaves))))
  }

  /** Maps a page into the guest's address space. */
  mapAt(address: bigint, frame: number): void {
    this.#root ??= this.#table()
    let table = this.#root
    for (let level = this.width === 8 ? 4 : 3; level > 1; level--) {
      const at = this.#slot(address, level)
      const view = this.#view(table)
      if (view.getUint32(at, true) === 0) view.setBigUint64(at, (BigInt(this.#table()) << 12n) | 0x67n, true)
      table = Number(view.getBigUint64(at, true) >> 12n)
    }
    this.#view(table).setBigUint64(this.#slot(address, 1), (BigInt(frame) << 12n) | 0x63n, true)
  }

  /** Has the entry of level 2 for one address point where that for another does. */
  sameTable(address: bigint, as: bigint): void {
    this.mapAt(address, 1)
    const [to, toAt] = this.#levelTwo(address)
    const [from, fromAt] = this.#levelTwo(as)
    to.setBigUint64(toAt, from.getBigUint64(fromAt, true), true)
  }

  /** Has the leaves lie side by side in the guest's address space. */
  linear(address: bigint, leaves: readonly number[]): void {
    leaves.forEach((leaf, i) => this.mapAt(address + BigInt(i * PAGE), leaf))
    this.say('p2mVaddr', address)
    this.say('p2mCr3', BigInt(this.#root as number) << 12n)
  }

  find(change: Partial<Script> = {}): Promise<FoundP2m> {
    const guest = this.guest(change)
    const pv = { machine: this.machine, sharedInfoFrame: 1 }
    return findP2m(guest.forSave().memory, pv, this.width, new SharedInfoView(this.shared, this.width))
  }

  guest(change: Partial<Script> = {}): ScriptedGuest {
    this.pages.set(1, this.shared)
    return new ScriptedGuest({
      kind: 'pv',
      width: this.width,
      xen: { major: 4, minor: 17 },
      pages: this.pages,
      machine: this.machine,
      sharedInfoFrame: 1,
      tsc: { mode: 0, khz: 1, nsec: 0n, incarnation: 0 },
      policy: { cpuid: new Uint8Array(0), msr: new Uint8Array(0) },
      ...change,
    })
  }

  #levelTwo(address: bigint): readonly [DataView, number] {
    let table = this.#root as number
    for (let level = this.width === 8 ? 4 : 3; level > 2; level--) table = Number(this.#view(table).getBigUint64(this.#slot(address, level), true) >> 12n)
    return [this.#view(table), this.#slot(address, 2)]
  }

  #slot = (address: bigint, level: number): number => 8 * Number((address >> BigInt(9 * level + 3)) & 511n)
  #view = (frame: number): DataView => new DataView((this.pages.get(frame) as Uint8Array).buffer)
  #table(): number {
    const mfn = this.#others++
    this.pages.set(mfn, new Uint8Array(PAGE))
    return mfn
  }
  #set(page: Uint8Array, at: number, value: number | bigint): void {
    const view = new DataView(page.buffer)
    if (this.width === 8) view.setBigUint64(at, BigInt(value), true)
    else view.setUint32(at, Number(value), true)
  }
}
