import { LinkError, type Channel } from '@xen-replication/plugin-api'

/** One direction: pieces in order; a write waits until what it wrote is taken. */
class Way {
  #rest: Uint8Array = new Uint8Array(0)
  #state: 'open' | 'ended' | 'broken' = 'open'
  #wake: () => void = () => undefined
  #turn = Promise.resolve()

  async read(max: number): Promise<Uint8Array | undefined> {
    await this.#until(() => this.#rest.length > 0 || this.#state !== 'open')
    if (this.#state === 'broken') throw new LinkError('LINK_LOST', 'the other end is gone')
    if (this.#rest.length === 0) return undefined
    const bytes = this.#rest.slice(0, max)
    this.#rest = this.#rest.subarray(bytes.length)
    this.#changed()
    return bytes
  }

  async write(parts: readonly Uint8Array[]): Promise<void> {
    await this.#until(() => this.#rest.length === 0 || this.#state !== 'open')
    if (this.#state !== 'open') throw new LinkError('LINK_LOST', 'the other end is gone')
    this.#rest = new Uint8Array(Buffer.concat(parts))
    this.#changed()
  }

  async end(how: 'ended' | 'broken'): Promise<void> {
    if (how === 'ended') await this.#until(() => this.#rest.length === 0 || this.#state !== 'open')
    if (this.#state === 'open') this.#state = how
    this.#changed()
  }

  async #until(so: () => boolean): Promise<void> {
    while (!so()) await this.#turn
  }

  #changed(): void {
    const wake = this.#wake
    this.#turn = new Promise((resolve) => (this.#wake = resolve))
    wake()
  }

  constructor() {
    this.#changed()
  }
}

/** Two ends of a link within this process. Closing one loses the link for the other, where it was not ended before. */
export function channelPair(): { readonly primary: Channel; readonly secondary: Channel } {
  const [there, back] = [new Way(), new Way()]
  const end = (out: Way, into: Way): Channel => ({
    read: (max) => into.read(max),
    write: (parts) => out.write(parts),
    end: () => out.end('ended'),
    close: async () => {
      await out.end('broken')
      await into.end('broken')
    },
  })
  return { primary: end(there, back), secondary: end(back, there) }
}
