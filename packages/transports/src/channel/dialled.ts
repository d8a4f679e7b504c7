import { LinkError, type AbortSignalLike } from '@xen-replication/plugin-api'
import type { Socket } from 'node:net'
import { abortable } from './abortable.ts'
import { refusal } from './link-failure.ts'

export interface DialOptions {
  readonly where: string
  readonly signal: AbortSignalLike
  /** How long to wait for an answer, in milliseconds. */
  readonly timeoutMs: number
  /** The event that tells that the socket can be used. */
  readonly ready: 'connect' | 'secureConnect'
}

/**
 * Waits until a socket stands, and turns it into what the caller wants at that very moment.
 *
 * @param call makes the socket, which begins to connect; not called when `signal` has aborted already.
 * @throws LinkError LINK_REFUSED, LINK_TIMEOUT, LINK_ADDRESS; the reason of `signal`
 */
export function dialled<T>(call: () => Socket, { where, signal, timeoutMs, ready }: DialOptions, use: (socket: Socket) => T): Promise<T> {
  return abortable(signal, ({ resolve, reject }) => {
    const socket = call()
    const timer = setTimeout(() => {
      give()
      reject(new LinkError('LINK_TIMEOUT', `${where}: no answer within ${timeoutMs} ms`, { hint: 'is the host up? a firewall may drop the packets' }))
    }, timeoutMs)
    const onReady = (): void => {
      clearTimeout(timer)
      socket.removeListener('error', onError)
      resolve(use(socket))
    }
    const onError = (error: Error): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(refusal(error, where))
    }
    const give = (): void => {
      clearTimeout(timer)
      socket.removeListener(ready, onReady)
      socket.destroy()
    }
    socket.once(ready, onReady)
    socket.on('error', onError)
    return give
  })
}
