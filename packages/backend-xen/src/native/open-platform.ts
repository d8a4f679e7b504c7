import { BackendError, type Clock } from '@xen-replication/hypervisor'
import { accessSync, constants } from 'node:fs'
import { realClock } from '../clock.ts'
import { Domctl } from '../domctl/domctl.ts'
import { HYPERCALL, type HypercallPort } from '../hypercall/hypercall.ts'
import { refused } from '../hypercall/refused.ts'
import type { EventChannels } from '../platform/event-channels.ts'
import type { Platform } from '../platform/platform.ts'
import type { QmpClient } from '../qmp/qmp-client.ts'
import type { Xenstore } from '../xenstore/xenstore.ts'
import { loadKoffi, type Koffi } from './libraries.ts'
import { NativeEventChannels } from './native-event-channels.ts'
import { NativeForeignMemory } from './native-foreign-memory.ts'
import { NativeHypercalls } from './native-hypercalls.ts'

/** The door to the hypervisor. */
export const PRIVCMD = '/dev/xen/privcmd'
/** Where Xen's tools keep what lives as long as the host runs. */
export const XEN_RUN_DIR = '/var/run/xen'

/**
 * The Xen host that this process runs on, in its control domain.
 *
 * @throws BackendError BACKEND_UNSUPPORTED, BACKEND_DENIED, BACKEND_HOST
 */
export function openPlatform(): Platform {
  requirePrivcmd()
  const koffi = loadKoffi()
  const hypercalls = new NativeHypercalls(koffi)
  try {
    return platformOver(koffi, hypercalls, Domctl.open(hypercalls))
  } catch (error) {
    hypercalls.close()
    throw error
  }
}

function platformOver(koffi: Koffi, hypercalls: HypercallPort, domctl: Domctl): Platform {
  const clock = realClock()
  const xen = xenVersion(hypercalls)
  const foreign = new NativeForeignMemory(koffi)
  let store: Promise<Xenstore> | undefined
  let events: EventChannels | undefined
  return {
    hypercalls,
    domctl,
    foreign,
    clock,
    xen,
    xenstore: () => (store ??= openXenstore()),
    eventChannels: () => (events ??= new NativeEventChannels(koffi, XEN_RUN_DIR)),
    qmp: (domId) => openQmp(domId, clock),
    close: async () => {
      events?.close()
      await store?.then((one) => one.close(), () => undefined)
      foreign.close()
      domctl.close()
      hypercalls.close()
    },
  }
}

function requirePrivcmd(): void {
  try {
    accessSync(PRIVCMD, constants.R_OK | constants.W_OK)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code === 'EACCES' || code === 'EPERM') throw new BackendError('BACKEND_DENIED', `${PRIVCMD} is not for this user`, { cause, hint: 'run xr as root' })
    throw new BackendError('BACKEND_UNSUPPORTED', 'this is not the control domain of a Xen host', { cause, hint: `${PRIVCMD} is missing; \`xr doctor\` tells more, \`--backend mock\` simulates a host` })
  }
}

/** What works over sockets is loaded when it is needed: under libxl, which does that part itself, it never is. */
async function openQmp(domId: number, clock: Clock): Promise<QmpClient> {
  const { qmpPath, SocketQmp } = await import('../qmp/socket-qmp.ts')
  return SocketQmp.open(qmpPath(domId, XEN_RUN_DIR), clock)
}

/** Several sockets are tried, because some systems have no /run. */
async function openXenstore(): Promise<Xenstore> {
  const { SocketXenstore, XENSTORED_SOCKETS } = await import('../xenstore/socket-xenstore.ts')
  let first: unknown
  for (const path of XENSTORED_SOCKETS) {
    try {
      return await SocketXenstore.open(path)
    } catch (error) {
      first ??= error
    }
  }
  throw first
}

function xenVersion(hypercalls: HypercallPort): Platform['xen'] {
  const version = hypercalls.call(HYPERCALL.xenVersion, 0, 0)
  if (version < 0) throw refused('BACKEND_HOST', 'the hypervisor does not tell its version', -version)
  return { major: version >>> 16, minor: version & 0xffff }
}
