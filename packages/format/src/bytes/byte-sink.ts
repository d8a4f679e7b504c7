import { joinedList } from './joined.ts'

/** Where bytes go, in order. */
export interface ByteSink {
  /**
   * Takes several pieces at once, so that nobody has to join them. Resolves when they may be reused.
   *
   * @throws whatever the sink's owner throws when it can take no more.
   */
  write(parts: readonly Uint8Array[]): Promise<void>
}

/** A sink that keeps everything in memory. */
export function sinkOfBytes(): ByteSink & { bytes(): Uint8Array } {
  const parts: Uint8Array[] = []
  return {
    write: (more) => {
      parts.push(...more.map((part) => part.slice()))
      return Promise.resolve()
    },
    bytes: () => joinedList(parts),
  }
}
