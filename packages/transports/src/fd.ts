import { LinkError, type AbortSignalLike, type Channel, type Transport } from '@xen-replication/plugin-api'
import { close, constants, fstatSync, fsync, openSync, type Stats } from 'node:fs'
import { promisify } from 'node:util'
import { closedHere, refusal } from './channel/link-failure.ts'
import { singleListener } from './channel/single-listener.ts'
import { DiskReader } from './disk/disk-reader.ts'
import { DiskWriter } from './disk/disk-writer.ts'
import { pipeChannel, type Ways } from './disk/pipe-channel.ts'

const closeFd = promisify(close)
const syncFd = promisify(fsync)
/** Standard input, output and error are not ours to close. */
const LAST_STANDARD_FD = 2

/**
 * `fd:N`, a descriptor that xr was started with: who dials writes to it, who listens reads; a socket goes both ways. `fd:IN,OUT` goes both ways
 * over two.
 */
export function fdTransport(): Transport {
  return {
    duplex: true,
    dial: (url, signal) => promised(() => openFd(url, 'write', signal)),
    listen: (url, signal) => promised(() => singleListener(url, openFd(url, 'read', signal))),
  }
}

function openFd(url: string, way: Ways, signal: AbortSignalLike): Channel {
  const match = /^fd:(\d{1,9})(?:,(\d{1,9}))?$/.exec(url)
  if (match === null) throw new LinkError('LINK_ADDRESS', `'${url}' names no descriptor`, { hint: 'write fd:N, or fd:IN,OUT' })
  if (signal.aborted) throw signal.reason
  const [, first, second] = match
  if (second === undefined) return channelOver(url, Number(first), way)
  return joined(channelOver(url, Number(first), 'read'), channelOver(url, Number(second), 'write'), url)
}

function channelOver(url: string, fd: number, way: 'read' | 'write' | 'both'): Channel {
  const found = statOf(url, fd)
  if (found.isSocket()) return pipeChannel(fd, url, 'both')
  if (found.isFIFO()) return overPipe(url, fd, way)
  const release = (): Promise<void> => (fd > LAST_STANDARD_FD ? closeFd(fd) : Promise.resolve())
  if (way === 'read') return new DiskReader(fd, url, release)
  const keep = async (): Promise<void> => {
    if (found.isFile()) await syncFd(fd)
    await release()
  }
  return new DiskWriter(fd, url, { keep, abandon: release })
}

/**
 * Waiting for a pipe must not block, but others may share the descriptor and not expect that: where the system lets us, the pipe is opened
 * once more.
 */
function overPipe(url: string, fd: number, way: Ways): Channel {
  const own = openAgain(fd, way)
  if (own === undefined) return pipeChannel(fd, url, way)
  const channel = pipeChannel(own, url, way)
  if (fd <= LAST_STANDARD_FD) return channel
  const release = once(() => closeFd(fd))
  return {
    write: (parts) => channel.write(parts),
    read: (max) => channel.read(max),
    end: async () => {
      await channel.end()
      if (way === 'write') await release() // the reader sees the end when all writers are gone
    },
    close: async () => {
      await channel.close()
      await release()
    },
  }
}

function openAgain(fd: number, way: Ways): number | undefined {
  try {
    return openSync(`/proc/self/fd/${fd}`, (way === 'read' ? constants.O_RDONLY : constants.O_WRONLY) | constants.O_NONBLOCK)
  } catch {
    return undefined // no /proc, or a pipe of another user
  }
}

function statOf(url: string, fd: number): Stats {
  try {
    return fstatSync(fd)
  } catch (error) {
    throw refusal(error, url)
  }
}

/** Two one-way channels as one. */
function joined(from: Channel, to: Channel, url: string): Channel {
  let closed = false
  return {
    write: (parts) => (closed ? Promise.reject(closedHere(url)) : to.write(parts)),
    read: (max) => from.read(max),
    end: () => to.end(),
    close: async () => {
      closed = true
      await Promise.all([from.close(), to.close()])
    },
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => (done ??= work())
}

/** What it throws becomes a rejection. */
function promised<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()))
}
