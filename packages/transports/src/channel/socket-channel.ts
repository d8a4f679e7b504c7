import type { Channel } from '@xen-replication/plugin-api'
import type { Socket } from 'node:net'
import { StreamChannel } from './stream-channel.ts'

/** How a peer learns that the other side let go before the end: TCP can say so. */
export type BreakOff = 'reset' | 'hang-up'

/** A channel over a connected socket. It has to be made before the event loop goes on, or bytes and errors are missed. */
export function socketChannel(socket: Socket, where: string, breakOff: BreakOff): Channel {
  const release = ({ ended }: { readonly ended: boolean }): Promise<void> =>
    new Promise((resolve) => {
      if (socket.closed) return resolve()
      socket.once('close', () => resolve())
      if (!ended && breakOff === 'reset') socket.resetAndDestroy()
      else socket.destroy()
      return undefined
    })
  return new StreamChannel({ where, input: socket, output: socket, release })
}
