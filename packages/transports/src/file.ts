import { LinkError, type AbortSignalLike, type Channel, type Transport } from '@xen-replication/plugin-api'
import { randomUUID } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { open, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { refusal } from './channel/link-failure.ts'
import { singleListener } from './channel/single-listener.ts'
import { DiskReader } from './disk/disk-reader.ts'
import { DiskWriter } from './disk/disk-writer.ts'
import { namedPipe } from './disk/named-pipe.ts'
import { pathOf } from './url/address.ts'

/** The image of a guest holds its secrets: nobody else may read a new one. */
const NEW_FILE_MODE = 0o600

/**
 * `file:PATH`. Writing goes to a file beside it that takes its place once everything is on the disk, so that PATH is whole at any time; devices
 * and named pipes are written as they are.
 */
export function fileTransport(): Transport {
  return {
    duplex: false,
    dial: async (url, signal) => {
      const path = pathOf(url)
      requireGoing(signal)
      const found = await stat(path).catch(() => undefined)
      if (found?.isDirectory() === true) throw new LinkError('LINK_ADDRESS', `${url}: this is a folder`, { hint: 'give the path of a file' })
      if (found?.isFIFO() === true) return namedPipe(path, 'write', url, signal)
      return orRefused(url, () => (found === undefined || found.isFile() ? replacing(url, path, found) : writingTo(url, path)))
    },
    listen: async (url, signal) => {
      const path = pathOf(url)
      requireGoing(signal)
      return singleListener(url, await orRefused(url, () => reading(url, path, signal)))
    },
  }
}

async function reading(url: string, path: string, signal: AbortSignalLike): Promise<Channel> {
  const found = await stat(path)
  if (found.isDirectory()) throw new LinkError('LINK_ADDRESS', `${url}: this is a folder`, { hint: 'give the path of a file' })
  if (found.isFIFO()) return namedPipe(path, 'read', url, signal)
  const handle = await open(path, 'r')
  return new DiskReader(handle.fd, url, () => handle.close())
}

/** A device: bytes cannot be taken back. */
async function writingTo(url: string, path: string): Promise<Channel> {
  const handle = await open(path, 'w')
  return new DiskWriter(handle.fd, url, { keep: () => handle.close(), abandon: () => handle.close() })
}

async function replacing(url: string, path: string, found: Stats | undefined): Promise<Channel> {
  const target = found === undefined ? path : await realpath(path)
  const beside = join(dirname(target), `.${basename(target)}.${randomUUID().slice(0, 8)}.part`)
  const handle = await open(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, NEW_FILE_MODE)
  const abandon = async (): Promise<void> => {
    await handle.close()
    await rm(beside, { force: true })
  }
  try {
    if (found !== undefined) await handle.chmod(found.mode & 0o777)
  } catch (error) {
    await abandon()
    throw error
  }
  return new DiskWriter(handle.fd, url, { keep: () => takePlace(handle, beside, target), abandon })
}

async function takePlace(handle: FileHandle, beside: string, target: string): Promise<void> {
  await handle.sync()
  await rename(beside, target)
  await handle.close()
  const folder = await open(dirname(target), 'r').catch(() => undefined) // not everybody may read the folder
  try {
    await folder?.sync() // the name, too, is to outlive a power cut
  } finally {
    await folder?.close()
  }
}

function requireGoing(signal: AbortSignalLike): void {
  if (signal.aborted) throw signal.reason
}

async function orRefused<T>(url: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw refusal(error, url)
  }
}
