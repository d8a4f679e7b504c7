import type { Clock } from '@xen-replication/hypervisor'
import { reasonOf } from '../../src/clock.ts'
import { Domctl } from '../../src/domctl/domctl.ts'
import { domctlHead, domctlTables, type DomctlCommands } from '../../src/domctl/tables.ts'
import { HYPERCALL, type HypercallBuffer, type HypercallPort } from '../../src/hypercall/hypercall.ts'
import { readStruct, writeStruct, type Layout, type Values } from '../../src/hypercall/struct.ts'

type Command = keyof DomctlCommands
type Handler = (call: DomctlCall) => number

/** A control operation as it came in. */
export interface DomctlCall {
  readonly domain: number
  readonly union: Uint8Array
  /** Fields as the caller set them. */
  readonly fields: Readonly<Record<string, number | bigint>>
  /** Sets fields that go back. */
  readonly answer: (fields: Readonly<Record<string, number | bigint>>) => number
  /** Memory of the caller at an address it gave. */
  readonly memory: (address: number | bigint | undefined) => Uint8Array
}

/** A hypervisor that does what a test tells it, and remembers what it was asked. */
export class FakeHypercalls implements HypercallPort {
  /** Names of the control operations, in their order. */
  readonly log: string[] = []
  /** The last domctl structure, as it came in. */
  last = new Uint8Array(0)
  readonly others = new Map<number, (args: readonly (number | bigint)[]) => number>()
  version = 0x15
  readonly #handlers = new Map<number, Handler>()
  readonly #names = new Map<number, Command>()
  readonly #buffers = new Map<bigint, Uint8Array>()
  #next = 0x10000n

  constructor() {
    for (const [name, { number }] of Object.entries(domctlTables.get(0x15)?.commands ?? {})) this.#names.set(number, name as Command)
    this.on('info', ({ domain, answer }) => answer({ domain, flags: 0, pages: 100n, maxVcpuId: 0, sharedInfoFrame: 7n }))
    this.others.set(HYPERCALL.xenVersion, () => (4 << 16) | 17)
  }

  /** Buffers that were not given back. */
  get held(): number {
    return this.#buffers.size
  }

  on(command: Command, handler: Handler): this {
    this.#handlers.set(commandNumber(command), handler)
    return this
  }

  memory(address: number | bigint | undefined): Uint8Array {
    for (const [start, bytes] of this.#buffers) {
      const at = BigInt(address ?? 0) - start
      if (at >= 0n && at < BigInt(bytes.length)) return bytes.subarray(Number(at))
    }
    throw new Error(`nothing at ${String(address)}`)
  }

  call(number: number, ...args: readonly (number | bigint)[]): number {
    if (number === HYPERCALL.domctl) return this.#domctl(this.memory(args[0]))
    const handler = this.others.get(number)
    if (handler === undefined) throw new Error(`hypercall ${number} was not expected`)
    return handler(args)
  }

  allocate(bytes: number): HypercallBuffer {
    const address = this.#next
    const size = Math.ceil(bytes / 4096) * 4096
    const memory = new Uint8Array(size)
    this.#next += BigInt(size) + 4096n
    this.#buffers.set(address, memory)
    return { address, bytes: memory, free: () => void this.#buffers.delete(address) }
  }

  close(): void {
    this.#buffers.clear()
  }

  #domctl(bytes: Uint8Array): number {
    const { cmd, version, domain } = readStruct(domctlHead, bytes, 0)
    this.last = bytes.slice(0, 144)
    if (version !== this.version) return -13
    const name = this.#names.get(cmd)
    const handler = this.#handlers.get(cmd)
    if (name === undefined || handler === undefined) throw new Error(`domctl ${cmd} was not expected`)
    this.log.push(name)
    const layout: Layout = domctlTables.get(0x15)?.commands[name].layout ?? { size: 0, fields: {} }
    const fields = readStruct(layout, bytes, domctlHead.size) as Record<string, number | bigint>
    return handler({
      domain,
      union: bytes.subarray(domctlHead.size, 144),
      fields,
      answer: (set) => {
        writeStruct(layout, bytes, domctlHead.size, { ...fields, ...set } as Partial<Values<Layout>>)
        return 0
      },
      memory: (address) => this.memory(address),
    })
  }
}

const commandNumber = (command: Command): number => domctlTables.get(0x15)?.commands[command].number ?? -1

/** A clock that jumps to whatever is waited for. */
export function jumpClock(): Clock & { readonly passed: () => number } {
  let now = 0
  return {
    now: () => now,
    passed: () => now,
    sleep: async (ms, signal) => {
      await new Promise((resolve) => setImmediate(resolve))
      if (signal?.aborted === true) throw reasonOf(signal)
      now += ms
    },
  }
}

export const openDomctl = (hypercalls: FakeHypercalls): Domctl => Domctl.open(hypercalls)
