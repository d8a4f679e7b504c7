import type { Channel } from '@xen-replication/plugin-api'

/** What the other end of a channel does: gives bytes, and looks at what it is told. */
export interface Script {
  /** Bytes to say, and for how many bytes of answers to wait before. */
  readonly say: readonly { readonly after: number; readonly bytes: Uint8Array }[]
  /** What is there at the end: silence, or the end of the connection. */
  readonly then: 'ends' | 'is silent'
  /** Takes no more bytes than so many: a write beyond them does not end. */
  readonly takes?: number
}

/** A peer that says what it was told to say, as soon as it got the answers it waits for. */
export function scriptedPeer({ say, then, takes = Infinity }: Script): { readonly channel: Channel; readonly heard: () => Uint8Array } {
  const heard: number[] = []
  const rest = say.map(({ after, bytes }) => ({ after, bytes }))
  let wake = (): void => undefined
  const read = async (max: number): Promise<Uint8Array | undefined> => {
    const next = rest[0]
    if (next === undefined && then === 'ends') return undefined
    if (next === undefined || heard.length < next.after) {
      await new Promise<void>((resolve) => (wake = resolve))
      return read(max)
    }
    const bytes = next.bytes.subarray(0, max)
    if (bytes.length === next.bytes.length) rest.shift()
    else next.bytes = next.bytes.subarray(max)
    return bytes.length === 0 ? read(max) : bytes
  }
  const channel: Channel = {
    read,
    write: (parts) => {
      for (const part of parts) for (const byte of part) heard.push(byte)
      wake()
      return heard.length > takes ? new Promise<void>(() => undefined) : Promise.resolve()
    },
    end: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
  return { channel, heard: () => Uint8Array.from(heard) }
}
