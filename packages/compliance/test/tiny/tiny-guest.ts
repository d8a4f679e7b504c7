import { BackendError, PAGE_SIZE, type GuestKind, type MappedFrames, type TscInfo } from '@xen-replication/hypervisor'

export const SHARED_INFO = 0xffff
/** Pages that the guest writes whenever it runs. */
export const WRITTEN = [17, 18]

const refused = (what: string): BackendError => new BackendError('BACKEND_MAP', what)

/** A guest of a host that is just large enough for the cases to see something. */
export class TinyGuest {
  readonly domId: number
  readonly kind: GuestKind
  readonly pages = new Map<number, Uint8Array>()
  readonly params = new Map([[1, 3n], [17, 4n]])
  name: string
  paused = false
  suspended = false
  building = false
  dirty: Set<number> | undefined
  looks = 0
  width: 4 | 8 = 8
  context: Uint8Array
  tsc: TscInfo = { mode: 0, khz: 1000, nsec: 0n, incarnation: 0 }
  #writes = 0

  constructor(domId: number, kind: GuestKind, name: string) {
    this.domId = domId
    this.kind = kind
    this.name = name
    this.context = Uint8Array.from({ length: 5168 }, (_, i) => i + domId)
  }

  get runs(): boolean {
    return !this.paused && !this.suspended && !this.building
  }

  write(): void {
    this.#writes++
    for (const pfn of WRITTEN) {
      this.pages.get(pfn)?.fill(this.#writes)
      this.dirty?.add(pfn)
    }
  }

  frame(pfn: number): number {
    return this.kind === 'pv' ? this.domId * 0x1_0000 + pfn : pfn
  }

  pfn(frame: number): number {
    return this.kind === 'pv' ? frame - this.domId * 0x1_0000 : frame
  }

  page(frame: number): Uint8Array | undefined {
    return this.pages.get(this.pfn(frame))
  }

  /** @param copy pages that do not follow the guest */
  map(frames: readonly number[], { copy, holes, closed }: { copy: boolean; holes: boolean; closed: () => void }): MappedFrames {
    const views = frames.map((frame) => {
      const page = this.page(frame)
      if (page === undefined && !holes) throw refused(`frame ${frame}`)
      return copy ? (page ?? new Uint8Array(PAGE_SIZE)).slice() : (page ?? new Uint8Array(PAGE_SIZE))
    })
    return { count: frames.length, views, page: (i) => views[i] as Uint8Array, close: closed }
  }
}
