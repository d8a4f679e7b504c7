import type { Channel, Transport } from '@xen-replication/plugin-api'
import type { Bench } from '../case.ts'

/** What a link can do beyond carrying bytes one way. */
export interface LinkTraits {
  /** Bytes go both ways. */
  readonly duplex: boolean
  /** `live`: both ends are there at once. `stored`: the far end is opened when the near one has ended, as with a file. */
  readonly kind: 'live' | 'stored'
  /** `told`: a peer that lets go before the end is told from one that ended. `as-end`: it may look the same, as with unix sockets. */
  readonly loss: 'told' | 'as-end'
}

/** A link, once. */
export interface LinkBench extends Bench {
  /** The end that dialled; it writes. */
  readonly near: Channel
  /** The other end; it reads. Asked for once. */
  far(): Promise<Channel>
}

/** A transport that waits for peers. */
export interface ListenBench extends Bench {
  readonly transport: Transport
  /** Where to listen; `listener.url` tells where to dial. */
  readonly url: string
}

/** A link made by listening and dialling. */
export async function linkOf(bench: ListenBench): Promise<LinkBench> {
  const { transport, url } = bench
  const { signal } = new AbortController()
  const listener = await transport.listen(url, signal)
  const [near, far] = await Promise.all([transport.dial(listener.url, signal), listener.accept(signal)])
  return {
    near,
    far: () => Promise.resolve(far),
    close: async () => {
      await Promise.all([near.close(), far.close(), listener.close()])
      await bench.close()
    },
  }
}

/** A link that is written at one URL and then read at the same one. */
export async function storedLinkOf(bench: ListenBench): Promise<LinkBench> {
  const { transport, url } = bench
  const { signal } = new AbortController()
  const near = await transport.dial(url, signal)
  const opened: { close(): Promise<void> }[] = [near]
  return {
    near,
    far: async () => {
      const listener = await transport.listen(url, signal)
      opened.push(listener)
      const far = await listener.accept(signal)
      opened.push(far)
      return far
    },
    close: async () => {
      await Promise.all(opened.map((one) => one.close()))
      await bench.close()
    },
  }
}
