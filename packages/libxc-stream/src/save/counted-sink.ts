import type { ByteSink } from '@xen-replication/format'

/** A sink that counts what goes through it. */
export interface CountedSink extends ByteSink {
  /** Bytes the sink has taken so far, in all. */
  readonly count: number
}

/** Counts over all the sinks that one save writes to. */
export class ByteCount {
  #count = 0

  /** @returns a sink that writes to `sink` and counts here. */
  over(sink: ByteSink): CountedSink {
    const total = (): number => this.#count
    return {
      get count() {
        return total()
      },
      write: async (parts) => {
        await sink.write(parts)
        for (const part of parts) this.#count += part.length
      },
    }
  }
}
