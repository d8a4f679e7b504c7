import type { Channel, Transport } from '@xen-replication/plugin-api'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { dialled } from './channel/dialled.ts'
import { listening, ServerListener } from './channel/server-listener.ts'
import { socketChannel } from './channel/socket-channel.ts'
import { addressOf, hostAndPort } from './url/address.ts'

/** How long a connection is idle before the system asks whether the peer is still there, in milliseconds. */
export const KEEP_ALIVE_MS = 10_000

/** Options of every TCP socket: small messages go at once, a dead peer is noticed, each side ends by itself. */
export const socketOptions = { allowHalfOpen: true, noDelay: true, keepAlive: true } as const

/** Where a server came to listen. */
export function boundPort(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** `tcp://HOST:PORT`; port 0 listens at a free one. */
export function tcpTransport({ connectTimeoutMs }: { readonly connectTimeoutMs: number }): Transport {
  const channel = (socket: Socket, where: string): Channel => socketChannel(socket, where, 'reset')
  return {
    duplex: true,
    dial: async (url, signal) => {
      const { host, port } = addressOf(url)
      const call = (): Socket => connect({ host, port, ...socketOptions, keepAliveInitialDelay: KEEP_ALIVE_MS })
      return dialled(call, { where: url, signal, timeoutMs: connectTimeoutMs, ready: 'connect' }, (ready) => channel(ready, url))
    },
    listen: async (url, signal) => {
      const { host, port } = addressOf(url)
      const server = createServer({ ...socketOptions, keepAliveInitialDelay: KEEP_ALIVE_MS })
      await listening(server, url, signal, () => server.listen({ host, port, exclusive: true }))
      const at = `tcp://${hostAndPort(host, boundPort(server))}`
      return new ServerListener({ server, where: at, arrival: 'connection', channel: (socket) => channel(socket, at) }, at)
    },
  }
}
