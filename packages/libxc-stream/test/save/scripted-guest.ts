import { BackendError, type CpuPolicy, type DirtyPages, type DomainState, type DomId, type GuestForSave, type GuestKind, type MachineMap, type MappedFrames, type PvVcpu, type TscInfo } from '@xen-replication/hypervisor'

const PAGE = 4096

/** What one look at the dirty log finds, and what the guest's memory is from then on. */
export interface DirtyStep {
  readonly pages: readonly number[]
  readonly estimate?: number
  readonly then?: (guest: ScriptedGuest) => void
}

/** A guest that does exactly what a test says. */
export interface Script {
  readonly kind: GuestKind
  readonly width?: 4 | 8
  readonly xen: { readonly major: number; readonly minor: number }
  readonly maxVcpuId?: number
  /** Pages by frame: gfn for HVM, mfn for PV. */
  readonly pages: Map<number, Uint8Array>
  /** Types other than "has content" and "is not there", by frame. */
  readonly types?: Map<number, number>
  /** Frames of an HVM guest, one above the highest. */
  readonly frames?: number
  readonly machine?: MachineMap
  readonly sharedInfoFrame?: number
  readonly dirty?: DirtyStep[]
  readonly tsc: TscInfo
  readonly policy: CpuPolicy
  readonly hvmContext?: Uint8Array
  readonly hvmParams?: ReadonlyMap<number, bigint>
  readonly vcpus?: readonly (PvVcpu | undefined)[]
  readonly deviceModel?: 'yes'
  /** How frames come back when mapped: side by side, or each for itself. */
  readonly mapping?: 'joined' | 'scattered'
}

/** A `GuestForSave` that follows a script, counts every call, and remembers what must be given back. */
export class ScriptedGuest {
  readonly script: Script
  /** What the outside would notice, with the offset in the stream. */
  readonly trace: (readonly [offset: number, what: string])[] = []
  readonly calls: string[] = []
  /** Looks at the dirty log that were said to be the last. */
  readonly lastLooks: string[] = []
  /** Call to fail, the first being 1. */
  failAt = 0
  /** Told of each call before it answers. */
  atCall: (n: number) => void = () => undefined
  offset: () => number = () => 0
  openMappings = 0
  logDirty: 'on' | 'off' = 'off'
  emulatorLogDirty: 'on' | 'off' = 'off'
  state: DomainState = { dying: false, paused: false, shutdown: undefined }
  /** What suspending comes to. */
  suspended: DomainState = { dying: false, paused: false, shutdown: 'suspend' }
  readonly #dirty: DirtyStep[]

  constructor(script: Script) {
    this.script = script
    this.#dirty = [...(script.dirty ?? [])]
  }

  resume(): void {
    this.state = { ...this.state, shutdown: undefined }
  }

  forSave(): GuestForSave {
    const { script } = this
    const { kind, width, xen, maxVcpuId = 0, machine } = script
    return {
      facts: { domId: 1 as DomId, kind, width, maxVcpuId, xen },
      memory: {
        frames: () => this.#call('frames', () => script.frames ?? 0),
        types: (frames) => this.#call('types', () => Uint8Array.from(frames, (frame) => this.#type(frame))),
        map: (frames) => this.#call('map', () => this.#map(Array.from(frames))),
      },
      dirty: this.#dirtyLog(),
      lifecycle: this.#lifecycle(),
      cpu: {
        tsc: () => this.#call('tsc', () => script.tsc),
        policy: () => this.#call('policy', () => script.policy),
        hvmContext: () => this.#call('hvmContext', () => script.hvmContext as Uint8Array),
        hvmParam: (index) => this.#call('hvmParam', () => script.hvmParams?.get(index) ?? 0n),
        pvVcpu: (id) => this.#call('pvVcpu', () => script.vcpus?.[id]),
      },
      pv: machine === undefined ? undefined : { machine, sharedInfoFrame: script.sharedInfoFrame as number },
      deviceModel: script.deviceModel === undefined ? undefined : this.#deviceModel(),
      devices: [],
      close: () => Promise.resolve(),
    }
  }

  #dirtyLog(): GuestForSave['dirty'] {
    return {
      enable: () => this.#call('enable', () => void (this.logDirty = 'on')),
      take: (pages, last) =>
        this.#call('take', () => {
          if (last !== undefined) this.lastLooks.push(last)
          return this.#take(pages)
        }),
      peek: (pages) => this.#call('peek', () => ({ bitmap: new Uint8Array(Math.ceil(pages / 8)), estimate: 0 })),
      disable: () => this.#call('disable', () => void (this.logDirty = 'off')),
    }
  }

  #lifecycle(): GuestForSave['lifecycle'] {
    const not = (): Promise<void> => Promise.reject(new Error('not for a saver to call'))
    return {
      state: () => this.#call('state', () => this.state),
      suspend: () =>
        this.#call('suspend', () => {
          this.trace.push([this.offset(), 'suspend'])
          this.state = this.suspended
        }),
      resume: not,
      pause: not,
      unpause: not,
      destroy: not,
    }
  }

  #deviceModel(): NonNullable<GuestForSave['deviceModel']> {
    return {
      logDirty: (state) =>
        this.#call(`deviceModel.logDirty ${state}`, () => {
          this.trace.push([this.offset(), `qemu_logdirty_${state}`])
          this.emulatorLogDirty = state
        }),
      state: () => Promise.reject(new Error('not for this layer')),
      xenstore: () => Promise.reject(new Error('not for this layer')),
    }
  }

  async #call<T>(what: string, result: () => T): Promise<T> {
    await Promise.resolve()
    this.calls.push(what)
    this.atCall(this.calls.length)
    if (this.calls.length === this.failAt) throw new BackendError('BACKEND_HOST', `call ${this.failAt}, ${what}, fails`)
    return result()
  }

  #type(frame: number): number {
    return this.script.types?.get(frame) ?? (this.script.pages.has(frame) ? 0 : 15)
  }

  #take(pages: number): DirtyPages {
    const step = this.#dirty.shift() ?? { pages: [] }
    step.then?.(this)
    const bitmap = new Uint8Array(Math.ceil(pages / 8))
    for (const pfn of step.pages) bitmap[pfn >> 3] = (bitmap[pfn >> 3] as number) | (1 << (pfn & 7))
    return { bitmap, estimate: step.estimate ?? step.pages.length }
  }

  #map(frames: readonly number[]): MappedFrames {
    const pages = frames.map((frame) => this.#page(frame))
    this.openMappings++
    let state: 'open' | 'closed' = 'open'
    const open = <T>(value: T): T => {
      if (state === 'closed') throw new Error('a mapping was used after it was closed')
      return value
    }
    const views = this.script.mapping === 'scattered' ? pages : [joined(pages)]
    const page = (i: number): Uint8Array => (views.length === 1 ? (views[0] as Uint8Array).subarray(i * PAGE, (i + 1) * PAGE) : (views[i] as Uint8Array))
    return {
      count: frames.length,
      get views() {
        return open(views)
      },
      page: (i) => open(page(i)),
      close: () => {
        if (state === 'open') this.openMappings--
        state = 'closed'
      },
    }
  }

  #page(frame: number): Uint8Array {
    const page = this.script.pages.get(frame)
    if (page === undefined) throw new BackendError('BACKEND_MAP', `frame 0x${frame.toString(16)} cannot be mapped`)
    return page
  }
}

/** A single page stays what it is, so that the guest's writes show; several are copies of this moment. */
function joined(pages: readonly Uint8Array[]): Uint8Array {
  const [only] = pages
  if (pages.length === 1 && only !== undefined) return only
  const bytes = new Uint8Array(pages.length * PAGE)
  pages.forEach((page, i) => bytes.set(page, i * PAGE))
  return bytes
}
