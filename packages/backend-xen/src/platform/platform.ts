import type { Clock } from '@xen-replication/hypervisor'
import type { Domctl } from '../domctl/domctl.ts'
import type { HypercallPort } from '../hypercall/hypercall.ts'
import type { QmpClient } from '../qmp/qmp-client.ts'
import type { Xenstore } from '../xenstore/xenstore.ts'
import type { EventChannels } from './event-channels.ts'
import type { ForeignMemory } from './foreign-memory.ts'

/** The ways to a Xen host that the ports use. What is a function opens what is seldom needed, once. */
export interface Platform {
  readonly hypercalls: HypercallPort
  readonly domctl: Domctl
  readonly foreign: ForeignMemory
  readonly clock: Clock
  /** Version of the hypervisor. */
  readonly xen: { readonly major: number; readonly minor: number }
  /** @throws BackendError BACKEND_HOST, BACKEND_DENIED */
  xenstore(): Promise<Xenstore>
  /** @throws BackendError BACKEND_HOST, BACKEND_UNSUPPORTED */
  eventChannels(): EventChannels
  /** A fresh connection to the device model of a domain. @throws BackendError BACKEND_DEVICE_MODEL */
  qmp(domId: number): Promise<QmpClient>
  close(): Promise<void>
}
