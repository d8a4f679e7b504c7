import { LinkError, type Channel, type Clock } from '@xen-replication/plugin-api'

/** A pause shorter than this costs more than it evens out, in milliseconds. */
const BURST_MS = 50
/** Least bytes that go at once, so that slow links are not cut into crumbs. */
const LEAST_BURST = 4096

/**
 * Limits what is written to a channel. Bytes flow evenly: at most 50 ms' worth go at once, whatever was saved up.
 *
 * @param bytesPerSecond more than 0.
 * @throws LinkError LINK_ADDRESS for another limit
 */
export function throttled(channel: Channel, bytesPerSecond: number, clock: Clock): Channel {
  if (!(bytesPerSecond > 0)) throw new LinkError('LINK_ADDRESS', `a link cannot go at ${bytesPerSecond} bytes a second`, { hint: 'the limit has to be more than 0' })
  const rate = bytesPerSecond / 1000
  const burst = Math.max(LEAST_BURST, Math.floor(rate * BURST_MS))
  const stop = new AbortController()
  let tokens = burst
  let at = clock.now()
  const pass = async (bytes: number): Promise<void> => {
    const refill = (): void => {
      const now = clock.now()
      tokens = Math.min(burst, tokens + (now - at) * rate)
      at = now
    }
    for (refill(); tokens < bytes; refill()) {
      if (stop.signal.aborted) throw closed()
      await clock.sleep((bytes - tokens) / rate, stop.signal).catch((error: unknown) => {
        throw stop.signal.aborted ? closed() : error
      })
    }
    tokens -= bytes
  }
  return {
    write: async (parts) => {
      for (const piece of pieces(parts, burst)) {
        await pass(piece.reduce((sum, { length }) => sum + length, 0))
        await channel.write(piece)
      }
    },
    read: (max) => channel.read(max),
    end: () => channel.end(),
    close: () => {
      stop.abort()
      return channel.close()
    },
  }
}

function closed(): LinkError {
  return new LinkError('LINK_CLOSED', 'closed on this side')
}

/** Cuts parts into groups of at most `most` bytes, in order. */
function* pieces(parts: readonly Uint8Array[], most: number): Generator<readonly Uint8Array[], void, void> {
  let group: Uint8Array[] = []
  let room = most
  for (const part of parts) {
    for (let at = 0; at < part.length; ) {
      const piece = part.subarray(at, at + room)
      group.push(piece)
      at += piece.length
      room -= piece.length
      if (room > 0) continue
      yield group
      group = []
      room = most
    }
  }
  if (group.length > 0) yield group
}
