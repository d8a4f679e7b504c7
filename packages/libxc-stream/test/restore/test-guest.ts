import { BackendError, type CpuPolicy, type DomId, type GuestForRestore, type GuestKind, type MappedFrames, type PvVcpu, type TscInfo } from '@xen-replication/hypervisor'

const PAGE = 4096
/** Frames that lie side by side in memory. */
const BLOCK = 512
const PV_BASE = 0x8_0000

export interface TestGuestOptions {
  readonly kind: GuestKind
  /** Width the domain is created with. */
  readonly width?: 4 | 8
  readonly maxVcpuId?: number
  /** Most pages the host gives. */
  readonly pagesMax?: number
  /** The host has runs of 2 MiB. */
  readonly runs?: boolean
  /** Called before each call of a port with the call's name and number; throws to have it fail. */
  readonly before?: (call: string, n: number) => void
}

/** A PV page table handed over to be pinned. */
export type Pinned = readonly [level: number, mfn: number]

/** A guest in the making, all in memory. It tells what it was given, and what was not given back. */
export class TestGuest {
  readonly port: GuestForRestore
  readonly calls: string[] = []
  readonly kind: GuestKind
  mapped = 0
  closed = 0
  completed: { readonly store: number; readonly console: number } | undefined
  completions = 0
  destroyed = false
  tsc: TscInfo | undefined
  policy: CpuPolicy | undefined
  context: Uint8Array | undefined
  readonly params = new Map<number, bigint>()
  readonly vcpus = new Map<string, Uint8Array>()
  readonly pinned: Pinned[] = []
  deviceState: Uint8Array | undefined
  xenstore: (readonly [string, string])[] = []
  width: 4 | 8
  readonly sharedInfo: Uint8Array
  readonly #blocks = new Map<number, Uint8Array>()
  readonly #frameOf = new Map<number, number>()
  readonly #pfnOf = new Map<number, number>()
  readonly #options: TestGuestOptions
  #nextBlock = 0
  #open = 0
  #taken = BLOCK

  constructor(options: TestGuestOptions) {
    const { kind, width = 8, maxVcpuId = 7 } = options
    this.#options = options
    this.kind = kind
    this.width = width
    this.sharedInfo = this.#own(SHARED_INFO_FRAME).fill(0x5a)
    this.port = {
      facts: { domId: 7 as DomId, kind, width: kind === 'pv' ? width : undefined, maxVcpuId, xen: { major: 4, minor: 17 } },
      memory: {
        populate: (pfns, order) => this.#call('populate', () => (order === 9 ? this.#populateRun(pfns[0] as number) : this.#populate(pfns))),
        map: (frames) => this.#call('map', () => this.#map(Float64Array.from(frames))),
      },
      cpu: {
        setTsc: (tsc) => this.#call('setTsc', () => void (this.tsc = tsc)),
        setPolicy: (policy) => this.#call('setPolicy', () => void (this.policy = policy)),
        setHvmContext: (context) => this.#call('setHvmContext', () => void (this.context = context.slice())),
        setHvmParam: (index, value) => this.#call('setHvmParam', () => void this.params.set(index, value)),
        setPvVcpu: (id, part, bytes) => this.#call('setPvVcpu', () => void this.vcpus.set(`${id} ${part}`, bytes.slice())),
      },
      lifecycle: {
        state: () => Promise.resolve({ dying: false, paused: true, shutdown: undefined }),
        suspend: () => Promise.resolve(),
        resume: () => Promise.resolve(),
        pause: () => Promise.resolve(),
        unpause: () => Promise.resolve(),
        destroy: () => Promise.resolve(),
      },
      rings: { store: { port: 3, domId: 0 }, console: { port: 4, domId: 0 } },
      pv: kind !== 'pv' ? undefined : this.#pv(),
      deviceModel:
        kind !== 'hvm'
          ? undefined
          : {
              setState: (state) => this.#call('setState', () => void (this.deviceState = state.slice())),
              setXenstore: (pairs) => this.#call('setXenstore', () => void (this.xenstore = [...pairs])),
            },
      complete: (frames) =>
        this.#call('complete', () => {
          this.completed = frames
          this.completions++
        }),
      close: () => {
        this.closed++
        this.destroyed ||= this.completed === undefined
        return Promise.resolve()
      },
    }
  }

  /** pfns that have a page. */
  get populated(): number {
    return this.#frameOf.size
  }

  frame(pfn: number): number | undefined {
    return this.#frameOf.get(pfn)
  }

  pfn(frame: number): number | undefined {
    return this.#pfnOf.get(frame)
  }

  /** Content of a page of the guest. */
  page(pfn: number): Uint8Array {
    const frame = this.#frameOf.get(pfn)
    if (frame === undefined) throw new Error(`no page at pfn ${pfn}`)
    return this.#at(frame)
  }

  vcpu(id: number, part: keyof PvVcpu): Uint8Array | undefined {
    return this.vcpus.get(`${id} ${part}`)
  }

  #pv(): NonNullable<GuestForRestore['pv']> {
    return {
      machine: { maxMfn: 0xff_ffff, pfn: (mfn) => this.#pfnOf.get(mfn) ?? Number.MAX_SAFE_INTEGER, compatFirstMfn: undefined },
      sharedInfoFrame: () => this.#call('sharedInfoFrame', () => SHARED_INFO_FRAME),
      width: () => this.#call('width', () => this.width),
      setWidth: (width) => this.#call('setWidth', () => void (this.width = width)),
      pin: (tables) => this.#call('pin', () => void this.pinned.push(...tables.map(({ level, mfn }): Pinned => [level, mfn]))),
    }
  }

  #call<T>(name: string, work: () => T): Promise<T> {
    return Promise.resolve().then(() => {
      this.calls.push(name)
      this.#options.before?.(name, this.calls.length)
      return work()
    })
  }

  #populate(pfns: ArrayLike<number>): Float64Array {
    return Float64Array.from(pfns, (pfn) => this.#place(pfn, this.kind === 'pv' ? this.#nextFrame() : pfn))
  }

  #populateRun(first: number): Float64Array | undefined {
    if (this.#options.runs === false) return undefined
    const frame = this.kind === 'pv' ? PV_BASE + BLOCK * this.#nextBlock++ : first
    for (let i = 0; i < BLOCK; i++) this.#place(first + i, frame + i)
    return Float64Array.of(frame)
  }

  /** Frames of a block come in an order of their own, so that neither pfns nor calls tell them. */
  #nextFrame(): number {
    if (this.#taken === BLOCK) {
      this.#open = this.#nextBlock++
      this.#taken = 0
    }
    return PV_BASE + BLOCK * this.#open + ((this.#taken++ * 37 + 11) % BLOCK)
  }

  #place(pfn: number, frame: number): number {
    if (this.#frameOf.has(pfn)) throw new Error(`pfn ${pfn} populated twice`)
    if (this.#pfnOf.has(frame)) throw new Error(`frame ${frame} given twice`)
    if (this.#frameOf.size >= (this.#options.pagesMax ?? Infinity)) throw new BackendError('BACKEND_MEMORY', 'no memory left')
    this.#frameOf.set(pfn, frame)
    this.#pfnOf.set(frame, pfn)
    this.#own(frame)
    return frame
  }

  #own(frame: number): Uint8Array {
    const number = Math.floor(frame / BLOCK)
    if (!this.#blocks.has(number)) this.#blocks.set(number, new Uint8Array(BLOCK * PAGE))
    return this.#at(frame)
  }

  #at(frame: number): Uint8Array {
    const at = (frame % BLOCK) * PAGE
    return (this.#blocks.get(Math.floor(frame / BLOCK)) as Uint8Array).subarray(at, at + PAGE)
  }

  #map(frames: Float64Array): MappedFrames {
    if (frames.length > 1024) throw new BackendError('BACKEND_MAP', `${frames.length} frames at once`)
    for (const frame of frames) {
      if (frame !== SHARED_INFO_FRAME && !this.#pfnOf.has(frame)) throw new BackendError('BACKEND_MAP', `frame ${frame} is not the guest's`)
    }
    let open = true
    this.mapped++
    return {
      count: frames.length,
      views: this.#views(frames),
      page: (i) => this.#at(frames[i] as number),
      close: () => {
        if (open) this.mapped--
        open = false
      },
    }
  }

  /** Neighbours within a block share a view. */
  #views(frames: Float64Array): Uint8Array[] {
    const views: Uint8Array[] = []
    for (let from = 0; from < frames.length; ) {
      const first = frames[from] as number
      let end = from + 1
      while (end < frames.length && frames[end] === first + end - from && Math.floor((frames[end] as number) / BLOCK) === Math.floor(first / BLOCK)) end++
      const page = this.#at(first)
      views.push(new Uint8Array(page.buffer, page.byteOffset, (end - from) * PAGE))
      from = end
    }
    return views
  }
}

/** The page that a PV guest shares with its host. */
const SHARED_INFO_FRAME = 0x400
