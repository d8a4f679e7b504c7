import { LinkError } from '@xen-replication/plugin-api'

/** @import { Channel } from '@xen-replication/plugin-api' */
/** @import { Socket } from 'node:net' */

/**
 * A connected socket as a channel.
 *
 * @implements {Channel}
 */
export class SocketChannel {
  #socket
  #where
  #wake = () => {}
  /** @type {LinkError | undefined} */
  #failure
  /** @type {Promise<void> | undefined} */
  #ending
  /** @type {Promise<void> | undefined} */
  #closing

  /**
   * @param {Socket} socket
   * @param {Uint8Array} head bytes that came with the upgrade.
   * @param {string} where
   */
  constructor(socket, head, where) {
    this.#socket = socket
    this.#where = where
    socket.setTimeout(0)
    if (head.length > 0) socket.unshift(head)
    socket.on('readable', () => this.#wake())
    socket.on('end', () => this.#wake())
    socket.on('error', (cause) => this.#fail(cause))
    socket.on('close', () => {
      if (!socket.readableEnded || !socket.writableFinished) this.#fail()
      this.#wake()
    })
  }

  /** @param {readonly Uint8Array[]} parts */
  async write(parts) {
    if (this.#closing !== undefined || this.#ending !== undefined) throw this.#closedHere()
    if (this.#failure !== undefined) throw this.#failure
    await /** @type {Promise<void>} */ (new Promise((resolve, reject) => {
      // Node calls back without an error when the socket was destroyed meanwhile
      this.#socket.write(Buffer.concat(parts), (error) => (error || this.#socket.destroyed ? reject(this.#lost(error)) : resolve()))
    }))
  }

  /** @param {number} max */
  read(max) {
    if (this.#closing !== undefined) return Promise.reject(this.#closedHere())
    const length = this.#socket.readableLength
    const bytes = /** @type {Uint8Array | null} */ (length > 0 ? this.#socket.read(Math.min(max, length)) : this.#socket.read())
    return bytes ?? this.#later(max)
  }

  end() {
    if (this.#closing !== undefined && this.#ending === undefined) return Promise.reject(this.#closedHere())
    this.#ending ??= new Promise((resolve, reject) => {
      this.#socket.once('close', () => reject(this.#lost()))
      if (this.#failure !== undefined) return reject(this.#failure)
      this.#socket.end(() => resolve())
      return undefined
    })
    return this.#ending
  }

  close() {
    this.#closing ??= new Promise((resolve) => {
      const socket = this.#socket
      if (socket.closed) return resolve()
      socket.once('close', () => resolve())
      this.#wake()
      if (socket.writableFinished) socket.destroy()
      else socket.resetAndDestroy() // the peer is to know that this was not the end
      return undefined
    })
    return this.#closing
  }

  /**
   * @param {number} max
   * @returns {Promise<Uint8Array | undefined>}
   */
  async #later(max) {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#socket.readableEnded) return undefined
    await /** @type {Promise<void>} */ (new Promise((resolve) => {
      this.#wake = resolve
    }))
    return this.read(max)
  }

  /** @param {Error} [cause] */
  #fail(cause) {
    this.#failure ??= this.#lost(cause)
    this.#wake()
  }

  /** @param {Error | null} [cause] */
  #lost(cause) {
    if (this.#closing !== undefined) return this.#closedHere()
    return this.#failure ?? new LinkError('LINK_LOST', `${this.#where}: ${cause?.message ?? 'the peer is gone'}`, { cause, hint: 'look at the log of the peer' })
  }

  #closedHere() {
    return new LinkError('LINK_CLOSED', `${this.#where}: closed on this side`)
  }
}
