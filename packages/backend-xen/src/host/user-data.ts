import { BackendError } from '@xen-replication/hypervisor'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Where libxl keeps what it knows of domains. */
export const LIBXL_DIR = '/var/lib/xen'

/** Configuration of a domain as libxl keeps it, without the zero byte at its end. @throws BackendError BACKEND_HOST */
export async function readConfig(domId: number, uuid: string, dir: string = LIBXL_DIR): Promise<string> {
  const path = join(dir, `userdata-d.${domId}.${uuid}.libxl-json`)
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new BackendError('BACKEND_HOST', `the configuration of domain ${domId}, ${path}, cannot be read`, { cause, hint: 'only domains that xl or another user of libxl made have one' })
  })
  return text.replace(/\0+$/, '')
}
