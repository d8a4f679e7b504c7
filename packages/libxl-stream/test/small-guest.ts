import type { DomId, GuestForRestore, GuestKind, MappedFrames } from '@xen-replication/hypervisor'

/** Frames of a PV guest are its pfns and this. */
const PV_BASE = 0x1000

export interface SmallGuestOptions {
  readonly kind: GuestKind
  /** Called before each call of a port; throws to have it fail. */
  readonly before?: (call: string, n: number) => void
}

/** A guest in the making, all in memory, as simple as can be. */
export class SmallGuest {
  readonly port: GuestForRestore
  readonly calls: string[] = []
  readonly states: Uint8Array[] = []
  readonly xenstore: (readonly (readonly [string, string])[])[] = []
  mapped = 0
  closed = 0
  completions = 0
  contexts = 0
  readonly #pages = new Map<number, Uint8Array>()

  constructor({ kind, before = () => undefined }: SmallGuestOptions) {
    const base = kind === 'pv' ? PV_BASE : 0
    const call = <T>(name: string, work: () => T): Promise<T> =>
      Promise.resolve().then(() => {
        this.calls.push(name)
        before(name, this.calls.length)
        return work()
      })
    const nothing = (name: string) => (): Promise<void> => call(name, () => undefined)
    this.#pages.set(0, new Uint8Array(4096)) // shared_info
    this.port = {
      facts: { domId: 1 as DomId, kind, width: kind === 'pv' ? 8 : undefined, maxVcpuId: 7, xen: { major: 4, minor: 17 } },
      memory: {
        populate: (pfns, order) =>
          call('populate', () => {
            if (order === 9) return undefined
            return Float64Array.from(pfns, (pfn) => (this.#pages.set(pfn + base, new Uint8Array(4096)), pfn + base))
          }),
        map: (frames) => call('map', () => this.#map(Array.from(frames))),
      },
      cpu: {
        setTsc: nothing('setTsc'),
        setPolicy: nothing('setPolicy'),
        setHvmContext: () => call('setHvmContext', () => void this.contexts++),
        setHvmParam: nothing('setHvmParam'),
        setPvVcpu: nothing('setPvVcpu'),
      },
      lifecycle: {
        state: () => Promise.resolve({ dying: false, paused: true, shutdown: undefined }),
        suspend: nothing('suspend'),
        resume: nothing('resume'),
        pause: nothing('pause'),
        unpause: nothing('unpause'),
        destroy: nothing('destroy'),
      },
      rings: { store: { port: 3, domId: 0 }, console: { port: 4, domId: 0 } },
      pv:
        kind !== 'pv'
          ? undefined
          : {
              machine: { maxMfn: 0xff_ffff, pfn: (mfn) => (this.#pages.has(mfn) ? mfn - base : Infinity), compatFirstMfn: undefined },
              sharedInfoFrame: () => Promise.resolve(0),
              width: () => Promise.resolve(8),
              setWidth: nothing('setWidth'),
              pin: nothing('pin'),
            },
      deviceModel:
        kind !== 'hvm'
          ? undefined
          : {
              setState: (state) => call('setState', () => void this.states.push(state.slice())),
              setXenstore: (pairs) => call('setXenstore', () => void this.xenstore.push(pairs)),
            },
      complete: () => call('complete', () => void this.completions++),
      close: () => {
        this.closed++
        return Promise.resolve()
      },
    }
  }

  /** Content of a page of an HVM guest. */
  page(pfn: number): Uint8Array | undefined {
    return this.#pages.get(pfn)
  }

  #map(frames: readonly number[]): MappedFrames {
    const views = frames.map((frame) => this.#pages.get(frame) as Uint8Array)
    let open = 1
    this.mapped++
    return { count: frames.length, views, page: (i) => views[i] as Uint8Array, close: () => void ((this.mapped -= open), (open = 0)) }
  }
}
