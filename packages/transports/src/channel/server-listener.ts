import { LinkError, type AbortSignalLike, type Channel, type Listener } from '@xen-replication/plugin-api'
import type { Server, Socket } from 'node:net'
import { abortable, type Settle } from './abortable.ts'
import { closedHere, refusal } from './link-failure.ts'

/** Connections that wait to be accepted; more are refused, so that strangers cannot fill the memory. */
const WAITING_PEERS = 8

export interface ServerOptions {
  readonly server: Server
  readonly where: string
  /** The event that brings a socket. */
  readonly arrival: 'connection' | 'secureConnection'
  readonly channel: (socket: Socket) => Channel
}

/** Peers of a Node server, one after the other. */
export class ServerListener implements Listener {
  readonly url: string
  readonly #server: Server
  readonly #where: string
  readonly #arrived: Channel[] = []
  readonly #accepts = new Set<Settle<Channel>>()
  #closing: Promise<void> | undefined

  constructor({ server, where, arrival, channel }: ServerOptions, url: string) {
    this.url = url
    this.#server = server
    this.#where = where
    server.on(arrival, (socket: Socket) => this.#arrive(socket, channel))
    server.on('error', () => undefined) // a single connection that could not be taken in; the next may be
  }

  accept(signal: AbortSignalLike): Promise<Channel> {
    return abortable(signal, (settle) => {
      const channel = this.#arrived.shift()
      if (channel !== undefined) settle.resolve(channel)
      else if (this.#closing !== undefined) settle.reject(closedHere(this.#where))
      else this.#accepts.add(settle)
      return () => this.#accepts.delete(settle)
    })
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#stop())
  }

  #arrive(socket: Socket, channel: (socket: Socket) => Channel): void {
    const [first] = this.#accepts
    if (first === undefined && this.#arrived.length === WAITING_PEERS) {
      socket.destroy()
      return
    }
    const made = channel(socket)
    if (first === undefined) {
      this.#arrived.push(made)
      return
    }
    this.#accepts.delete(first)
    first.resolve(made)
  }

  async #stop(): Promise<void> {
    this.#server.close() // its callback would wait for accepted channels, too
    for (const settle of this.#accepts) settle.reject(closedHere(this.#where))
    this.#accepts.clear()
    await Promise.all(this.#arrived.splice(0).map((channel) => channel.close()))
  }
}

/**
 * Starts a server. `listen` is called at once.
 *
 * @throws LinkError LINK_REFUSED, LINK_ADDRESS; the reason of `signal`
 */
export function listening(server: Server, where: string, signal: AbortSignalLike, listen: () => void): Promise<void> {
  return abortable(signal, ({ resolve, reject }) => {
    const onError = (error: Error): void => reject(refusal(error, where))
    server.once('error', onError)
    server.once('listening', () => {
      server.removeListener('error', onError)
      resolve()
    })
    listen()
    return () => server.close()
  })
}

/** For a second peer where there can be one only. */
export function onePeerOnly(where: string): LinkError {
  return new LinkError('LINK_REFUSED', `${where}: this has one peer only, and it was taken`)
}
