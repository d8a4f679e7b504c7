import type { Channel } from '@xen-replication/plugin-api'
import { Socket } from 'node:net'
import { StreamChannel } from '../channel/stream-channel.ts'

/** Which ways a descriptor is used. */
export type Ways = 'read' | 'write' | 'both'

/** A channel over the descriptor of a pipe or socket, which it closes in the end. */
export function pipeChannel(fd: number, where: string, ways: Ways): Channel {
  const socket = new Socket({ fd, readable: ways !== 'write', writable: ways !== 'read', allowHalfOpen: true })
  const release = (): Promise<void> =>
    new Promise((resolve) => {
      if (socket.closed) return resolve()
      socket.once('close', () => resolve())
      socket.destroy()
      return undefined
    })
  return new StreamChannel({ where, input: ways === 'write' ? undefined : socket, output: ways === 'read' ? undefined : socket, release })
}
