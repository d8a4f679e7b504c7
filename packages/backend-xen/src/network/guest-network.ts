import type { CheckpointDevice, Clock } from '@xen-replication/hypervisor'
import { netBuffer, type NetBufferOptions } from '@xen-replication/net-buffer'

export interface GuestNetworkParts {
  /** The guest's interfaces on this host, at this moment. */
  readonly vifs: () => Promise<readonly string[]>
  readonly clock: Clock
  readonly run?: NetBufferOptions['run']
}

/** All that a guest sends out: which interfaces that goes through is looked up when it begins to be held back. */
export class GuestNetwork implements CheckpointDevice {
  readonly name = 'network'
  readonly kind = 'network'
  readonly #parts: GuestNetworkParts
  /** While set up. */
  #buffer: CheckpointDevice | undefined

  constructor(parts: GuestNetworkParts) {
    this.#parts = parts
  }

  async setup(): Promise<void> {
    const { vifs, clock, run } = this.#parts
    const buffer = this.#buffer ?? netBuffer({ vifs: await vifs(), clock, ...(run === undefined ? {} : { run }) })
    await buffer.setup()
    this.#buffer = buffer
  }

  async postsuspend(epoch: number): Promise<void> {
    await this.#buffer?.postsuspend(epoch)
  }

  async preresume(epoch: number): Promise<void> {
    await this.#buffer?.preresume(epoch)
  }

  async commit(epoch: number): Promise<void> {
    await this.#buffer?.commit(epoch)
  }

  async waiting(): Promise<number> {
    return (await this.#buffer?.waiting()) ?? 0
  }

  async teardown(held: 'release' | 'drop'): Promise<void> {
    const buffer = this.#buffer
    this.#buffer = undefined
    await buffer?.teardown(held)
  }
}
