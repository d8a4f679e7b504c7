import { definePlugin, LinkError, type Channel, type Listener, type Plugin } from '@xen-replication/plugin-api'

/** When a wire breaks: behind so many bytes that went to whoever listens, or that came back from there. */
export interface Break {
  readonly there?: number
  readonly back?: number
}

/** A wire in memory, between one who dials `mem:` and one who listens; it can break. */
export function memoryWire({ there = Infinity, back = Infinity }: Break = {}): { readonly plugin: Plugin; readonly passed: { there: number; back: number }; readonly breakLater: (later: Break) => void } {
  const passed = { there: 0, back: 0 }
  const broken = new AbortController()
  const pipes = { there: new Pipe(), back: new Pipe() }
  const limits = { there, back }
  broken.signal.addEventListener('abort', () => Object.values(pipes).forEach((pipe) => pipe.wake()))

  const end = (out: 'there' | 'back', from: 'there' | 'back'): Channel => {
    const input = pipes[from]
    const output = pipes[out]
    return {
      write: (parts) => {
        for (const part of parts) {
          if (broken.signal.aborted) return Promise.reject(lost())
          const room = limits[out] - passed[out]
          passed[out] += Math.min(part.length, room)
          output.put(part.slice(0, Math.min(part.length, room)))
          if (part.length >= room) broken.abort()
        }
        return output.drained(() => broken.signal.aborted)
      },
      read: (max) => input.take(max, () => broken.signal.aborted),
      end: () => Promise.resolve(output.end()),
      close: () => {
        output.end()
        input.leave()
        return Promise.resolve()
      },
    }
  }
  const listener: Listener = { url: 'mem:', accept: () => Promise.resolve(end('back', 'there')), close: () => Promise.resolve() }
  const transport = { duplex: true, dial: () => Promise.resolve(end('there', 'back')), listen: () => Promise.resolve(listener) }
  return { plugin: definePlugin({ name: 'memory-wire', api: 1, contribute: (to) => to.transport('mem', transport) }), passed, breakLater: (later) => {
    limits.there = passed.there + (later.there ?? Infinity)
    limits.back = passed.back + (later.back ?? Infinity)
  } }
}

const lost = (): LinkError => new LinkError('LINK_LOST', 'the wire is cut')

/** Bytes a writer may be ahead. */
const AHEAD = 1 << 20

class Pipe {
  readonly #chunks: Uint8Array[] = []
  #held = 0
  #ended = false
  #left = false
  #waiting: (() => void)[] = []

  put(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#chunks.push(bytes)
    this.#held += bytes.length
    this.wake()
  }

  end(): void {
    this.#ended = true
    this.wake()
  }

  /** Nobody reads any more. */
  leave(): void {
    this.#left = true
    this.wake()
  }

  wake(): void {
    for (const go of this.#waiting.splice(0)) go()
  }

  /** What was on its way when the wire broke still arrives. */
  async take(max: number, broken: () => boolean): Promise<Uint8Array | undefined> {
    for (;;) {
      const first = this.#chunks[0]
      if (first !== undefined) {
        const part = first.subarray(0, max)
        if (part.length === first.length) this.#chunks.shift()
        else this.#chunks[0] = first.subarray(part.length)
        this.#held -= part.length
        this.wake()
        return part
      }
      if (broken()) throw lost()
      if (this.#ended) return undefined
      await this.#next()
    }
  }

  async drained(broken: () => boolean): Promise<void> {
    while (this.#held > AHEAD && !broken() && !this.#left) await this.#next()
    if (this.#left) throw lost()
  }

  #next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}
