import type { AbortSignalLike, Channel, Clock } from '@xen-replication/plugin-api'

/** `p2s`: what the primary says to the secondary; `s2p`: its answers. */
export type Direction = 'p2s' | 's2p'

/** Some bytes that went through, or the end of a direction. */
export interface Passed {
  readonly direction: Direction
  /** Milliseconds since recording began. */
  readonly ms: number
  /** Of the first byte, within its direction. */
  readonly offset: number
  /** How many bytes; 0 at the end of the direction. */
  readonly length: number
}

export interface RecordPorts {
  readonly primary: Channel
  readonly secondary: Channel
  readonly clock: Clock
  readonly signal: AbortSignalLike
  /** Keeps bytes before they are handed on; they are valid until it resolves. */
  readonly keep: (passed: Passed, bytes: Uint8Array) => Promise<void>
}

/** What went through, and why it ended. */
export interface RecordEnd {
  readonly bytes: Readonly<Record<Direction, number>>
  /** Undefined where both sides ended properly. */
  readonly why: Error | undefined
}

/** Longest piece, in bytes: no more than two of them are in memory. */
const PIECE_BYTES = 256 * 1024

/** What one side still says when the other has ended, in milliseconds: a QEMU leaves a link open that is of no use any more. */
const LAST_WORDS_MS = 500

/**
 * Stands between two QEMUs and keeps what they say, each byte unchanged and in order, until one of them is gone. Both channels are closed then.
 *
 * @throws what `keep` throws; the reason of `signal`
 */
export async function recordLink({ primary, secondary, clock, signal, keep }: RecordPorts): Promise<RecordEnd> {
  const began = clock.now()
  const bytes = { p2s: 0, s2p: 0 }
  let why: Error | undefined
  let over = false
  let failed: { readonly error: unknown } | undefined
  const closeBoth = async (): Promise<void> => void (await Promise.all([primary.close(), secondary.close()]))
  const stop = (): void => void closeBoth()
  const kept = async (passed: Passed, some: Uint8Array): Promise<void> => {
    try {
      await keep(passed, some)
    } catch (error) {
      failed ??= { error }
      throw error
    }
  }
  const pump = async (from: Channel, to: Channel, direction: Direction): Promise<void> => {
    try {
      for (;;) {
        const some = await from.read(PIECE_BYTES)
        await kept({ direction, ms: clock.now() - began, offset: bytes[direction], length: some?.length ?? 0 }, some ?? new Uint8Array(0))
        if (some === undefined) return await to.end()
        bytes[direction] += some.length
        await to.write([some])
      }
    } catch (error) {
      if (!over) why ??= error instanceof Error ? error : new Error(String(error))
      await closeBoth()
    }
  }
  signal.addEventListener('abort', stop, { once: true })
  try {
    const pumps = [pump(primary, secondary, 'p2s'), pump(secondary, primary, 's2p')]
    await Promise.race(pumps)
    const last = new AbortController()
    await Promise.race([Promise.all(pumps), clock.sleep(LAST_WORDS_MS, last.signal).catch(() => undefined)])
    last.abort()
    over = true
    await closeBoth()
    await Promise.all(pumps)
  } finally {
    signal.removeEventListener('abort', stop)
    await closeBoth()
  }
  if (signal.aborted) throw signal.reason
  if (failed !== undefined) throw failed.error
  return { bytes, why }
}
