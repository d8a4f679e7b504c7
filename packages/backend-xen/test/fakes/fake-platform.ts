import { BackendError, PAGE_SIZE } from '@xen-replication/hypervisor'
import type { EventChannel, EventChannels } from '../../src/platform/event-channels.ts'
import type { ForeignMemory, ForeignPages } from '../../src/platform/foreign-memory.ts'
import type { Platform } from '../../src/platform/platform.ts'
import type { QmpClient } from '../../src/qmp/qmp-client.ts'
import type { Xenstore, XenstoreView } from '../../src/xenstore/xenstore.ts'
import { FakeHypercalls, jumpClock, openDomctl } from './fake-machine.ts'

/** Memory of domains, a page for each frame that a test has put there. */
export class FakeForeign implements ForeignMemory {
  readonly pages = new Map<string, Uint8Array>()
  readonly grants = new Uint8Array(PAGE_SIZE)
  mapped = 0

  put(domId: number, frame: number, page: Uint8Array = new Uint8Array(PAGE_SIZE)): Uint8Array {
    this.pages.set(`${domId}:${frame}`, page)
    return page
  }

  /** As with Xen a mapping is a window: what is written to it is in the pages once it is unmapped. */
  map(domId: number, frames: BigUint64Array): ForeignPages {
    const sources = [...frames].map((frame) => {
      const page = this.pages.get(`${domId}:${frame}`)
      if (page === undefined) throw new BackendError('BACKEND_MAP', `frame 0x${frame.toString(16)} of domain ${domId} cannot be mapped: EINVAL`)
      return page
    })
    const bytes = new Uint8Array(sources.length * PAGE_SIZE)
    for (const [i, page] of sources.entries()) bytes.set(page, i * PAGE_SIZE)
    return this.#window(bytes, () => sources.forEach((page, i) => page.set(bytes.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE))))
  }

  grantTable(): ForeignPages {
    return this.#window(this.grants, () => undefined)
  }

  close(): void {
    this.pages.clear()
  }

  #window(bytes: Uint8Array, unmap: () => void): ForeignPages {
    this.mapped++
    let held = true
    return {
      bytes,
      unmap: () => {
        if (held) {
          this.mapped--
          unmap()
        }
        held = false
      },
    }
  }
}

/** xenstore as a map. */
export class FakeXenstore implements Xenstore {
  readonly nodes = new Map<string, string>()
  readonly resumed: number[] = []
  readonly #watches = new Map<() => void, string>()
  onWrite: (path: string, value: string) => void = () => undefined

  get watched(): number {
    return this.#watches.size
  }

  async read(path: string): Promise<string | undefined> {
    return Promise.resolve(this.nodes.get(path))
  }

  async list(path: string): Promise<readonly string[]> {
    const below = [...this.nodes.keys()].filter((key) => key.startsWith(`${path}/`)).map((key) => key.slice(path.length + 1).split('/')[0] as string)
    return Promise.resolve([...new Set(below)])
  }

  async write(path: string, value: string): Promise<void> {
    this.nodes.set(path, value)
    this.onWrite(path, value)
    for (const [changed, watched] of this.#watches) if (path.startsWith(watched)) changed()
    return Promise.resolve()
  }

  async remove(path: string): Promise<void> {
    this.nodes.delete(path)
    return Promise.resolve()
  }

  atomically<T>(work: (view: XenstoreView) => Promise<T>): Promise<T> {
    return work(this)
  }

  async watch(path: string, changed: () => void): Promise<() => Promise<void>> {
    this.#watches.set(changed, path)
    changed()
    return Promise.resolve(async () => {
      this.#watches.delete(changed)
      return Promise.resolve()
    })
  }

  async resumeDomain(domId: number): Promise<void> {
    this.resumed.push(domId)
    return Promise.resolve()
  }

  close(): void {
    this.nodes.clear()
  }
}

/** A device model that remembers what it was told. */
export class FakeModel {
  readonly commands: string[] = []
  open = 0
  onCommand: (command: string, args: Readonly<Record<string, unknown>> | undefined) => unknown = () => ({})

  connect(): QmpClient {
    this.open++
    return {
      execute: async (command, args) => {
        this.commands.push(args === undefined ? command : `${command} ${JSON.stringify(args)}`)
        return Promise.resolve(this.onCommand(command, args))
      },
      close: () => void this.open--,
    }
  }
}

/** Event channels of which a test hears and speaks. */
export class FakeEvents implements EventChannels {
  bound: string[] = []
  locked = 0
  onNotify: () => void = () => undefined
  #pending = true

  bind(domId: number, port: number): EventChannel {
    const name = `${domId}:${port}`
    this.bound.push(name)
    return {
      notify: () => {
        this.onNotify()
        this.#pending = true
      },
      heard: async () => {
        const heard = this.#pending
        this.#pending = false
        return Promise.resolve(heard)
      },
      close: () => {
        this.bound = this.bound.filter((one) => one !== name)
      },
    }
  }

  lockSuspend(): () => void {
    this.locked++
    return () => void this.locked--
  }

  close(): void {
    this.bound = []
  }
}

/** A host of which every part is a test's to play. */
export function fakePlatform(): Platform & { readonly hypercalls: FakeHypercalls; readonly foreign: FakeForeign; readonly store: FakeXenstore; readonly model: FakeModel; readonly events: FakeEvents; readonly clock: ReturnType<typeof jumpClock> } {
  const hypercalls = new FakeHypercalls()
  const foreign = new FakeForeign()
  const store = new FakeXenstore()
  const model = new FakeModel()
  const events = new FakeEvents()
  return {
    hypercalls,
    foreign,
    store,
    model,
    events,
    domctl: openDomctl(hypercalls),
    clock: jumpClock(),
    xen: { major: 4, minor: 17 },
    xenstore: () => Promise.resolve(store),
    eventChannels: () => events,
    qmp: () => Promise.resolve(model.connect()),
    close: () => Promise.resolve(),
  }
}
