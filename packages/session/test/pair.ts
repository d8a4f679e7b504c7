import type { Channel } from '@xen-replication/plugin-api'
import { openReceiver, openSender, receiveGuest, sendGuest, type OpenOptions, type ReceiveResult, type SendResult, type Session } from '@xen-replication/session'
import { memoryLink, type MemoryLink } from './memory-link.ts'
import { VirtualClock } from './virtual-clock.ts'

/** Bytes that do not repeat and look random; the same for the same seed. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  let x = seed * 2654435761
  for (let i = 0; i < length; i += 1) {
    x = (Math.imul(x ^ (x >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0
    bytes[i] = x >>> 24
  }
  return bytes
}

/** One side's idea of a guest: what it did, and whether it runs. */
export class SimulatedGuest {
  readonly log: string[] = []
  state: 'running' | 'suspended' | 'paused' | 'destroyed' | 'none'
  readonly fails: ReadonlySet<string>
  readonly memory: Uint8Array
  received = new Uint8Array(0)

  constructor(state: SimulatedGuest['state'], memory: Uint8Array, fails: readonly string[] = []) {
    this.state = state
    this.memory = memory
    this.fails = new Set(fails)
  }

  #do(what: string): void {
    this.log.push(what)
    if (this.fails.has(what)) throw Object.assign(new Error(`${what} fails`), { code: 'BACKEND_TEST' })
  }

  async save(sink: { write(parts: readonly Uint8Array[]): Promise<void> }): Promise<void> {
    const half = this.memory.length >> 1
    await sink.write([this.memory.subarray(0, half)])
    this.#do('save')
    this.state = 'suspended'
    await sink.write([this.memory.subarray(half)])
  }

  async build(source: { read(max: number): Promise<Uint8Array | undefined> | Uint8Array | undefined }): Promise<void> {
    this.state = 'paused'
    const parts: Uint8Array[] = []
    for (let part = await source.read(70_000); part !== undefined; part = await source.read(70_000)) parts.push(part.slice())
    this.received = Buffer.concat(parts)
    this.#do('build')
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async resume(): Promise<void> {
    this.#do('resume')
    this.state = 'running'
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async start(): Promise<void> {
    this.#do('start')
    this.state = 'running'
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async destroy(): Promise<void> {
    this.#do('destroy')
    this.state = 'destroyed'
  }
}

export interface Migration {
  readonly source: SimulatedGuest
  readonly target: SimulatedGuest
  /** Undefined when that side did not even get a session. */
  readonly sent: SendResult | undefined
  readonly got: ReceiveResult | undefined
  readonly sendError: unknown
  readonly receiveError: unknown
  readonly clock: VirtualClock
}

export interface MigrationSetup {
  readonly link?: MemoryLink
  readonly options?: (side: 'sender' | 'receiver', clock: VirtualClock) => Partial<OpenOptions>
  readonly memory?: Uint8Array
  readonly sourceFails?: readonly string[]
  readonly targetFails?: readonly string[]
  readonly clock?: VirtualClock
  readonly signals?: { readonly sender?: AbortSignal; readonly receiver?: AbortSignal }
}

/** A whole migration of a simulated guest, both sides. */
export async function migrate({ link = memoryLink(), options = () => ({}), memory = noise(200_000), sourceFails, targetFails, clock = new VirtualClock(), signals = {} }: MigrationSetup): Promise<Migration> {
  const source = new SimulatedGuest('running', memory, sourceFails)
  const target = new SimulatedGuest('none', new Uint8Array(0), targetFails)
  const never = new AbortController().signal
  const sending = side(openSender, link.sender, options('sender', clock), clock, (session) => sendGuest(session, source, signals.sender ?? never))
  const receiving = side(openReceiver, link.receiver, options('receiver', clock), clock, (session) => receiveGuest(session, target, signals.receiver ?? never))
  const [sent, got] = await Promise.all([sending, receiving])
  return { source, target, sent: sent.result, got: got.result, sendError: sent.error, receiveError: got.error, clock }
}

async function side<T>(
  open: (options: OpenOptions) => Promise<Session>, channel: Channel, options: Partial<OpenOptions>, clock: VirtualClock, work: (session: Session) => Promise<T>,
): Promise<{ result: T | undefined; error: unknown }> {
  try {
    const session = await open({ channel, clock, purpose: 'migrate', compression: 'none', ...options })
    return { result: await work(session), error: undefined }
  } catch (error) {
    return { result: undefined, error }
  }
}
