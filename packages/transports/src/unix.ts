import { LinkError, type Transport } from '@xen-replication/plugin-api'
import { randomUUID } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { lstat, rename, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { isMainThread } from 'node:worker_threads'
import { dialled } from './channel/dialled.ts'
import { refusal } from './channel/link-failure.ts'
import { listening, ServerListener } from './channel/server-listener.ts'
import { socketChannel } from './channel/socket-channel.ts'
import { pathOf } from './url/address.ts'

/** Longest path of a socket, in bytes; Node cuts longer ones short without a word. Source: sockaddr_un, Linux. */
const MAX_PATH_BYTES = 107
const PRIVATE = 0o600
/** How long an old socket file is given to prove that somebody still listens, in milliseconds. */
const PROBE_MS = 1000

/** `unix:PATH`. The file is its owner's only, and is removed when the listener closes; one left behind by a dead process is replaced. */
export function unixTransport({ connectTimeoutMs }: { readonly connectTimeoutMs: number }): Transport {
  return {
    duplex: true,
    dial: async (url, signal) => {
      const path = socketPath(url)
      const call = dialled(() => connect({ path, allowHalfOpen: true }), { where: url, signal, timeoutMs: connectTimeoutMs, ready: 'connect' }, (ready) => socketChannel(ready, url, 'hang-up'))
      return call.catch((error: unknown) => {
        throw isNotThere(error) ? nobodyListens(url, error) : error
      })
    },
    listen: async (url, signal) => {
      const path = socketPath(url)
      if (signal.aborted) throw signal.reason
      await clearTheWay(url, path)
      const server = createServer({ allowHalfOpen: true })
      await listening(server, url, signal, () => listenPrivately(server, path))
      return new ServerListener({ server, where: url, arrival: 'connection', channel: (socket) => socketChannel(socket, url, 'hang-up') }, url)
    },
  }
}

/** A socket that is not there is one at which nobody listens yet. */
const isNotThere = (error: unknown): boolean => error instanceof LinkError && error.cause instanceof Error && 'code' in error.cause && error.cause.code === 'ENOENT'

const nobodyListens = (url: string, error: unknown): LinkError =>
  new LinkError('LINK_REFUSED', `${url}: nobody listens there`, { cause: error instanceof LinkError ? error.cause : error, hint: 'start the receiving side first; look at the spelling' })

function socketPath(url: string): string {
  const path = pathOf(url)
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new LinkError('LINK_ADDRESS', `'${url}': the path of a socket has at most ${MAX_PATH_BYTES} bytes`, { hint: 'choose a shorter one, below /tmp or /run' })
  }
  return path
}

/** The file is private from its first moment on. Threads cannot set the mask of their process; there the mode is set right after. */
function listenPrivately(server: Server, path: string): void {
  if (!isMainThread) {
    server.listen({ path })
    if (server.listening) chmodSync(path, PRIVATE)
    return
  }
  const before = process.umask(0o777 & ~PRIVATE)
  try {
    server.listen({ path })
  } finally {
    process.umask(before)
  }
}

/** Removes a socket file that nobody listens at. @throws LinkError LINK_REFUSED when somebody does, LINK_ADDRESS when it is no socket */
async function clearTheWay(url: string, path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return
  if (!found.isSocket()) throw new LinkError('LINK_ADDRESS', `${url}: a file of that name is there, and it is not a socket`, { hint: 'choose another path' })
  if (await answers(path)) throw new LinkError('LINK_REFUSED', `${url}: somebody listens there already`, { hint: 'stop it, or choose another path' })
  const aside = `${path}.${randomUUID()}`
  const moved = await rename(path, aside).then(() => lstat(aside), (error: NodeJS.ErrnoException) => error)
  if (moved instanceof Error) {
    if (moved.code === 'ENOENT') return // another process has cleared it
    throw refusal(moved, url)
  }
  if (moved.ino === found.ino && moved.dev === found.dev) return rm(aside)
  await rename(aside, path) // another process was faster: what was moved is its socket
  throw new LinkError('LINK_REFUSED', `${url}: somebody has begun to listen there`, { hint: 'choose another path' })
}

/** Only a refusal proves that nobody listens; a full queue or a missing permission does not. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path })
    const tell = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(PROBE_MS, () => tell(true))
    socket.on('connect', () => tell(true))
    socket.on('error', (error: NodeJS.ErrnoException) => tell(error.code !== 'ECONNREFUSED'))
  })
}
