import { GuestCrash } from '../guest/crash.ts'
import type { StatePage } from '../guest/state-page.ts'
import type { PvSpace } from '../memory/pv-space.ts'
import type { Ram } from '../memory/ram.ts'
import { addressOf, layoutOf, type Width } from './layout.ts'
import { lookUp, writeTree } from './p2m-list.ts'
import { RefusedTable, type PageTypes } from './page-types.ts'
import { KERNEL, highOf, lowOf } from './pte.ts'
import { changeProcesses } from './processes.ts'
import { tellP2m } from './shared-info.ts'
import { StartInfo } from './start-info.ts'
import type { PvContext } from './vcpu.ts'

/** A running PV guest as its kernel sees it. */
export interface PvKernelPlace {
  readonly ram: Ram
  readonly space: PvSpace
  readonly types: PageTypes
  readonly state: StatePage
  readonly width: Width
  readonly sharedInfo: { readonly page: Uint8Array; readonly frame: number }
  /** The first vCPU. */
  readonly context: PvContext
}

/** What a PV kernel does by itself. Every reason not to go on is a {@link GuestCrash}. */
export class PvKernel {
  readonly #at: PvKernelPlace

  constructor(place: PvKernelPlace) {
    this.#at = place
  }

  /** The first thing a kernel does: it maps the page it shares with Xen. */
  boot(): void {
    this.#mapSharedInfo(this.#at.sharedInfo.frame)
  }

  /** Shared pages are let go, frame numbers become pfns, and start_info is named to the toolstack. Source: Linux xen_arch_pre_suspend. */
  beforeSuspend(): void {
    const { context } = this.#at
    this.#mapSharedInfo(0)
    this.#startInfo(({ start, toPfn }) => {
      start.set('store', toPfn(start.get('store')))
      start.set('console', toPfn(start.get('console')))
    })
    context.setRegister('rdx', this.#mfn(this.#at.state.get('startInfo')))
    context.setRegister('rax', 0)
  }

  /** Goes on behind the suspend call, told by rax whether nothing has happened (1) or this is another place (0). */
  afterSuspend(): 'cancelled' | 'resumed' {
    const cancelled = this.#at.context.register('rax') === 1
    if (cancelled) {
      this.#startInfo(({ start }) => {
        start.set('store', this.#mfn(start.get('store')))
        start.set('console', this.#mfn(start.get('console')))
      })
    } else this.#arrive()
    this.#mapSharedInfo(this.#at.sharedInfo.frame)
    return cancelled ? 'cancelled' : 'resumed'
  }

  /** The toolstack's part of letting a guest go on as if it had been restored: start_info holds frames again. */
  readmit(): void {
    this.#startInfo(({ start }) => {
      start.set('store', this.#at.space.mfn(start.get('store')))
      start.set('console', this.#at.space.mfn(start.get('console')))
    })
  }

  changeTables(): void {
    this.#asCrash(() => changeProcesses(this.#at))
  }

  /** Everything that a restorer was to put in place is looked at. */
  #arrive(): void {
    const { state, context, space, ram, width, sharedInfo } = this.#at
    const expected = state.get('startInfo')
    const named = space.locate(context.register('rdx'))
    if (named !== expected) throw new GuestCrash(`rdx names page ${named} as start_info, which is page ${expected}`)
    const start = new StartInfo(ram.words(expected), width)
    if (!start.valid) throw new GuestCrash('start_info has no magic')
    if (start.get('sharedInfo') !== sharedInfo.frame * 4096) throw new GuestCrash('start_info names another page than shared_info')
    if (space.locate(start.get('store')) !== state.get('storePage')) throw new GuestCrash('start_info names a strange xenstore ring')
    if (space.locate(start.get('console')) !== state.get('consolePage')) throw new GuestCrash('start_info names a strange console ring')
    if (space.locate(context.topTables.kernel) !== state.get('topTable')) throw new GuestCrash('cr3 names a strange page table')
    for (let pfn = 0; pfn < state.get('p2mFrames'); pfn += 1) {
      const mfn = this.#mfn(pfn)
      if (mfn !== space.mfn(pfn)) throw new GuestCrash(`the p2m list says 0x${mfn.toString(16)} for page ${pfn}, which is not there`)
    }
    this.#tellP2m()
  }

  /** The list lies elsewhere in machine memory now. Source: Linux xen_setup_mfn_list_list. */
  #tellP2m(): void {
    const { state, ram, width, sharedInfo } = this.#at
    const [first, top, mid, pfns] = (['p2mList', 'p2mTop', 'p2mMid', 'p2mFrames'] as const).map((field) => state.get(field)) as [number, number, number, number]
    const linear = top === 0 ? { topTable: this.#mfn(state.get('topTable')), address: addressOf(layoutOf(width).p2m, width) } : undefined
    const leaves = (top === 0 ? 0 : mid) - first
    if (top > 0) writeTree(ram, (pfn) => this.#mfn(pfn), { first, leaves, mid, mids: top - mid, top }, width)
    tellP2m(sharedInfo.page, width, { maxPfn: pfns, tree: top === 0 ? 0 : this.#mfn(top), linear })
  }

  #mapSharedInfo(frame: number): void {
    const { state, types } = this.#at
    const [low, high] = frame === 0 ? [0, 0] : [lowOf(frame, KERNEL), highOf(frame)]
    this.#asCrash(() => types.write(state.get('fixL1'), state.get('fixIndex'), low, high))
  }

  #startInfo(change: (at: { readonly start: StartInfo; readonly toPfn: (mfn: number) => number }) => void): void {
    const { ram, state, width, space } = this.#at
    const pfn = state.get('startInfo')
    const toPfn = (mfn: number): number => {
      const found = space.locate(mfn)
      if (found < 0) throw new GuestCrash(`start_info names frame 0x${mfn.toString(16)}, which is not the guest's`)
      return found
    }
    change({ start: new StartInfo(ram.words(pfn), width), toPfn })
    ram.touch(pfn)
  }

  /** The guest's own list, in its memory. */
  #mfn(pfn: number): number {
    const { ram, state, width } = this.#at
    return lookUp(ram, state.get('p2mList'), pfn, width)
  }

  #asCrash(work: () => void): void {
    try {
      work()
    } catch (cause) {
      throw cause instanceof RefusedTable ? new GuestCrash(`Xen refuses a page table: ${cause.message}`) : cause
    }
  }
}
