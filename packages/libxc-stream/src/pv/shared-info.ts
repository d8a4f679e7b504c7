import type { GuestWidth } from './guest-width.ts'

/** Where the page that a PV guest shares with Xen tells of its p2m, in bytes. Source: public xen.h and arch-x86/xen.h. */
const PLACES = {
  8: { maxPfn: 3088, frameListList: 3096, p2mCr3: 3112, p2mVaddr: 3120, p2mGeneration: 3128 },
  4: { maxPfn: 2316, frameListList: 2320, p2mCr3: 2328, p2mVaddr: 2332, p2mGeneration: 2336 },
} as const

/** What a PV guest says about its table from pfn to machine frame; read anew at every look. */
export class SharedInfoView {
  readonly page: Uint8Array
  readonly #view: DataView
  readonly #width: GuestWidth

  /** @param page 4096 bytes. */
  constructor(page: Uint8Array, width: GuestWidth) {
    this.page = page
    this.#view = new DataView(page.buffer, page.byteOffset, page.length)
    this.#width = width
  }

  /** One above the guest's highest pfn is `maxPfn`, in spite of its name. */
  get(field: keyof (typeof PLACES)[8]): bigint {
    const at = PLACES[this.#width][field]
    return this.#width === 8 ? this.#view.getBigUint64(at, true) : BigInt(this.#view.getUint32(at, true))
  }
}
