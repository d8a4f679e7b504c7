import { definePlugin, LinkError, type AbortSignalLike, type Channel, type Listener, type Plugin } from '@xen-replication/plugin-api'

/** Towards whoever listens, or back from there. */
export type Way = 'there' | 'back'

/** Where a link breaks: behind so many frames of xr, or so many bytes, of one direction. What comes up to there arrives, or its last frame or chunk is lost on its way although its sender could write it. */
export interface Cut {
  readonly way: Way
  readonly unit: 'frames' | 'bytes'
  readonly behind: number
  readonly last: 'arrives' | 'is lost'
}

export interface CutWire {
  readonly plugin: Plugin
  /** Whether so much was sent that the link broke. */
  readonly isCut: () => boolean
  /** Bytes and frames that were sent, all links together. */
  readonly sent: Readonly<Record<Way, { bytes: number; frames: number }>>
}

const lost = (): LinkError => new LinkError('LINK_LOST', 'the link is cut')

/** Links in memory under `cut:`, the first of which breaks in one place. */
export function cutWire(cut?: Cut): CutWire {
  const sent = { there: { bytes: 0, frames: 0 }, back: { bytes: 0, frames: 0 } }
  const waiting: Channel[] = []
  const accepting: ((channel: Channel) => void)[] = []
  let state: 'whole' | 'cut' = 'whole'

  const link = (): Record<Way, Channel> => {
    const pipes = { there: new Pipe(), back: new Pipe() }
    const lengths = { there: new Frames(), back: new Frames() }
    const first = state === 'whole'
    const write = (way: Way) => (parts: readonly Uint8Array[]): Promise<void> => {
      for (const part of parts) {
        if (pipes[way].isOver) return Promise.reject(lost())
        const total = sent[way]
        const ends = lengths[way].endsIn(part)
        const limit = cut?.way !== way || !first ? Infinity : cut.unit === 'bytes' ? cut.behind - total.bytes : (ends[cut.behind - total.frames - 1] ?? Infinity)
        if (limit > part.length) pipes[way].put(part)
        else {
          if (cut?.last === 'arrives') pipes[way].put(part.subarray(0, limit))
          state = 'cut'
          Object.values(pipes).forEach((pipe) => pipe.cut())
        }
        total.bytes += part.length
        total.frames += ends.length
      }
      return Promise.resolve()
    }
    const end = (way: Way, other: Way): Channel => ({
      write: write(way),
      read: (max) => pipes[other].take(max),
      end: () => Promise.resolve(pipes[way].end()),
      close: () => Promise.resolve(pipes[way].end()).then(() => pipes[other].cut()),
    })
    return { there: end('there', 'back'), back: end('back', 'there') }
  }
  const dial = (): Promise<Channel> => {
    const { there, back } = link()
    const next = accepting.shift()
    if (next === undefined) waiting.push(back)
    else next(back)
    return Promise.resolve(there)
  }
  const listener: Listener = { url: 'cut:', accept: (signal) => nextOf(waiting, accepting, signal), close: () => Promise.resolve() }
  const transport = { duplex: true, dial, listen: () => Promise.resolve(listener) }
  return { plugin: definePlugin({ name: 'cut-wire', api: 1, contribute: (to) => to.transport('cut', transport) }), isCut: () => state === 'cut', sent }
}

function nextOf(waiting: Channel[], accepting: ((channel: Channel) => void)[], signal: AbortSignalLike): Promise<Channel> {
  const there = waiting.shift()
  if (there !== undefined) return Promise.resolve(there)
  return new Promise((resolve, reject) => {
    accepting.push(resolve)
    signal.addEventListener('abort', () => {
      accepting.splice(accepting.indexOf(resolve) >>> 0, 1)
      const why: unknown = signal.reason
      reject(why instanceof Error ? why : new Error(String(why)))
    }, { once: true })
  })
}

const HEAD = 20
const LENGTH_AT = 4

/** Finds where frames of xr end. */
class Frames {
  #head: number[] = []
  #left = 0

  /** Places in a chunk behind which a frame ends. */
  endsIn(chunk: Uint8Array): readonly number[] {
    const ends: number[] = []
    for (let at = 0; at < chunk.length; ) {
      if (this.#left === 0) {
        this.#head.push(chunk[at] as number)
        at += 1
        if (this.#head.length < HEAD) continue
        this.#left = Buffer.from(this.#head).readUInt32LE(LENGTH_AT)
        this.#head = []
      } else {
        const step = Math.min(this.#left, chunk.length - at)
        this.#left -= step
        at += step
      }
      if (this.#left === 0) ends.push(at)
    }
    return ends
  }
}

/** One direction of a link. */
class Pipe {
  readonly #chunks: Uint8Array[] = []
  #state: 'open' | 'ended' | 'cut' = 'open'
  #wake: () => void = () => undefined

  get isOver(): boolean {
    return this.#state !== 'open'
  }

  put(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#chunks.push(bytes.slice())
    this.#wake()
  }

  end(): void {
    if (this.#state === 'open') this.#state = 'ended'
    this.#wake()
  }

  cut(): void {
    this.#state = 'cut'
    this.#wake()
  }

  /** What was put in before comes out first. */
  async take(max: number): Promise<Uint8Array | undefined> {
    for (;;) {
      const first = this.#chunks.shift()
      if (first !== undefined) {
        if (first.length > max) this.#chunks.unshift(first.subarray(max))
        return first.subarray(0, max)
      }
      if (this.#state === 'ended') return undefined
      if (this.#state === 'cut') throw lost()
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
