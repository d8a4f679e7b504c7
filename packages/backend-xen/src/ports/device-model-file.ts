import { BackendError } from '@xen-replication/hypervisor'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Has something written to a file of its own, which is gone afterwards.
 *
 * @param dir folder in which a folder is made for it.
 * @returns what was written; undefined when nothing was. @throws BackendError BACKEND_HOST; what `write` throws
 */
export async function throughFile(dir: string, write: (file: string) => Promise<unknown>): Promise<Uint8Array | undefined> {
  const own = await mkdtemp(join(dir, 'xr-dm-')).catch((cause: unknown) => {
    throw new BackendError('BACKEND_HOST', `no folder can be made in ${dir} for the state of the device model`, { cause })
  })
  try {
    const file = join(own, 'state')
    await write(file)
    return await readFile(file).catch(() => undefined)
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}
