import type { HypervisorBackend } from '@xen-replication/hypervisor'
import { access, readFile } from 'node:fs/promises'
import { release } from 'node:os'
import { openPlatform, XEN_RUN_DIR } from '../native/open-platform.ts'
import { whenNeeded } from '../guard/when-needed.ts'
import { lackingModules } from '../network/buffer-modules.ts'
import { runXl, xlTool } from '../xl/xl-tool.ts'
import { capabilitiesOf } from './capabilities.ts'
import { LIBXL_DIR } from './user-data.ts'
import { XenHost } from './xen-host.ts'

/**
 * The Xen host that this process runs on.
 *
 * @throws BackendError BACKEND_UNSUPPORTED, BACKEND_DENIED, BACKEND_HOST
 */
export async function openXenHost(): Promise<HypervisorBackend> {
  const platform = openPlatform()
  try {
    const xl = xlTool()
    const lacking = await lackingModules((path) => readFile(path, 'utf8').catch(() => undefined), release())
    const capabilities = capabilitiesOf(await runXl(xl, ['info']), lacking)
    return new XenHost({ platform, xl, capabilities, runDir: XEN_RUN_DIR, libxlDir: LIBXL_DIR, hasInterface, startGuard: whenNeeded })
  } catch (error) {
    await platform.close()
    throw error
  }
}

const hasInterface = (name: string): Promise<boolean> => access(`/sys/class/net/${name}`).then(() => true, () => false)
