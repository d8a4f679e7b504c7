import { ByteReader, type ByteSource } from '@xen-replication/format'
import { BackendError, type AbortSignalLike, type DomId, type GuestForRestore, type HypervisorBackend } from '@xen-replication/hypervisor'
import { openStreamRestorer, readStream } from '@xen-replication/libxl-stream'
import { tellRestore } from '../observe/engine-events.ts'
import type { GuestFate } from '../observe/tool-events.ts'
import { readXlStart, type XlStart } from '../xl/xl-start.ts'
import type { Operation } from './operation.ts'

/** What is to become of a guest that comes in. */
export interface IncomingOptions {
  /**
   * `at-once`: it has its name from the start. `in-the-end`: the other one may still have it; until then it is NAME--incoming, as with xl.
   * `beside-its-copy`: as `at-once`, but where a guest of that name and UUID is here, an older copy of it, it gets a free name.
   */
  readonly naming: 'at-once' | 'in-the-end' | 'beside-its-copy'
  /** What it is to be called here, instead of what it says. */
  readonly name?: string | undefined
  readonly then: 'run' | 'stay-paused'
  /** Called when the guest is ours and about to run. */
  readonly onHandOver?: (() => void) | undefined
}

/** What is known of it; `name` is the one it has here in the end. */
export interface Incoming extends XlStart {
  readonly domId: DomId
}

const INCOMING = '--incoming'

/** `demo--2` beside `demo`. */
function nameBeside(name: string, taken: ReadonlySet<string>): string {
  let n = 2
  while (taken.has(`${name}--${n}`)) n++
  return `${name}--${n}`
}

/** A guest that is made of an `xl` stream: built, let run, or done away with. */
export class IncomingGuest {
  readonly #backend: HypervisorBackend
  readonly #emit: Operation['emit']
  readonly #options: IncomingOptions
  #guest: GuestForRestore | undefined
  #facts: Incoming | undefined
  #reader: ByteReader | undefined
  #fate: GuestFate = 'gone'
  #name: string | undefined

  constructor(backend: HypervisorBackend, { emit }: Pick<Operation, 'emit'>, options: IncomingOptions) {
    this.#backend = backend
    this.#emit = emit
    this.#options = options
  }

  /** Undefined until the stream has said it. */
  get facts(): Incoming | undefined {
    return this.#facts
  }

  /** Bytes of the stream that were read. */
  get bytes(): number {
    return this.#reader?.offset ?? 0
  }

  /**
   * Reads all of the guest and not a byte more. It is complete then, and stands still.
   *
   * @throws BackendError, RestoreError, ToolstackError, FormatError; what the source throws
   */
  async build(source: ByteSource, signal: AbortSignalLike): Promise<void> {
    const reader = (this.#reader = new ByteReader(source))
    const start = await readXlStart(reader)
    this.#name = start.name
    this.#emit('guest.announced', { guest: start.name, kind: start.kind, memoryBytes: undefined })
    const name = await this.#freeName(start)
    this.#name = name
    const guest = (this.#guest = await this.#backend.openForRestore({ ...start, name: this.#options.naming === 'in-the-end' ? name + INCOMING : name }))
    this.#fate = 'paused'
    this.#facts = { ...start, name, domId: guest.facts.domId }
    const stop = await readStream(openStreamRestorer(reader, guest, { streamType: 'plain', signal, observe: tellRestore(this.#emit) }))
    if (stop.why !== 'end') throw stop.error
  }

  /** Gives it its name and lets it run, if it is to. @throws BackendError: it does not run then */
  async start(): Promise<void> {
    const { domId, name } = this.#facts as Incoming
    this.#options.onHandOver?.()
    if (this.#options.naming === 'in-the-end') await this.#backend.rename(domId, name)
    if (this.#options.then === 'run') await (this.#guest as GuestForRestore).lifecycle.unpause()
    this.#fate = this.#options.then === 'run' ? 'runs' : 'paused'
    this.#emit('guest.fate', { guest: name, side: 'target', fate: this.#fate })
  }

  /** Destroys what there is of it. @throws BackendError: something is left then, which does not run */
  async destroy(): Promise<void> {
    try {
      if (this.#fate !== 'gone') await this.#end()
      this.#fate = 'gone'
    } finally {
      this.#emit('guest.fate', { guest: this.#name, side: 'target', fate: this.#fate })
    }
  }

  /** Gives back what was taken of the host to build it. Never throws. */
  async close(): Promise<void> {
    await this.#guest?.close().catch(() => undefined)
  }

  /** A guest that was never completed goes with its handle; a stream that failed has closed that already. */
  async #end(): Promise<void> {
    const { domId } = this.#facts as Incoming
    await this.#guest?.close()
    if ((await this.#backend.list()).some((one) => one.domId === domId)) await this.#backend.lifecycle(domId).destroy()
  }

  /** A name that is taken is better told before all memory has come than after. */
  async #freeName({ name: said, uuid }: XlStart): Promise<string> {
    const { naming, name = said } = this.#options
    if (naming === 'in-the-end') return name // it may be that of the source, on the same host
    const guests = await this.#backend.list()
    const holder = guests.find((one) => one.name === name)
    if (holder === undefined) return name
    if (naming !== 'beside-its-copy' || this.#options.name !== undefined || uuid === undefined || holder.uuid.toLowerCase() !== uuid.toLowerCase()) {
      throw new BackendError('BACKEND_NAME_TAKEN', `there is a domain ${name} already`, { hint: 'destroy that one first, or give this one another name: --name NAME' })
    }
    const free = nameBeside(name, new Set(guests.map((one) => one.name)))
    this.#emit('guest.named', { guest: name, name: free, uuid })
    return free
  }
}
