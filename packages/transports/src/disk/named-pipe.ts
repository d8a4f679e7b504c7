import type { AbortSignalLike, Channel } from '@xen-replication/plugin-api'
import { closeSync, constants, open, openSync } from 'node:fs'
import { abortable } from '../channel/abortable.ts'
import { refusal } from '../channel/link-failure.ts'
import { pipeChannel } from './pipe-channel.ts'

/** Opens a named pipe, which takes until somebody has opened its other end. @throws LinkError LINK_ADDRESS; the reason of `signal` */
export function namedPipe(path: string, way: 'read' | 'write', where: string, signal: AbortSignalLike): Promise<Channel> {
  let calledOff = false
  return abortable(signal, ({ resolve, reject }) => {
    open(path, way === 'read' ? constants.O_RDONLY : constants.O_WRONLY, (error, fd) => {
      if (error !== null) reject(refusal(error, where))
      else if (calledOff) closeSync(fd)
      else resolve(pipeChannel(fd, where, way))
    })
    return () => {
      calledOff = true
      closeSync(openSync(path, constants.O_RDWR | constants.O_NONBLOCK)) // stands in for the other end, so that the open above comes back
    }
  })
}
