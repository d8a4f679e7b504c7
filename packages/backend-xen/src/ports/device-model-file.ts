import { BackendError } from '@xen-replication/hypervisor'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Has something written to a file of its own, which is gone afterwards.
 *
 * @param dir folder in which a folder is made for it.
 * @returns what was written; undefined when nothing was. @throws BackendError BACKEND_HOST; what `write` throws
 */
export function throughFile(dir: string, write: (file: string) => Promise<unknown>): Promise<Uint8Array | undefined> {
  return inFile(dir, async (file) => {
    await write(file)
    return readFile(file).catch(() => undefined)
  })
}

/** Has something read from such a file. @throws BackendError BACKEND_HOST; what `read` throws */
export function fromFile(dir: string, bytes: Uint8Array, read: (file: string) => Promise<unknown>): Promise<void> {
  return inFile(dir, async (file) => {
    await writeFile(file, bytes, { mode: 0o600 })
    await read(file)
  })
}

async function inFile<T>(dir: string, use: (file: string) => Promise<T>): Promise<T> {
  const own = await mkdtemp(join(dir, 'xr-dm-')).catch((cause: unknown) => {
    throw new BackendError('BACKEND_HOST', `no folder can be made in ${dir} for the state of the device model`, { cause })
  })
  try {
    return await use(join(own, 'state'))
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}
