import { HYPERCALL } from '../hypercall/hypercall.ts'
import { COMMAND, stable } from '../hypercall/layouts.ts'
import { refused } from '../hypercall/refused.ts'
import { writeStruct } from '../hypercall/struct.ts'
import { withBuffer } from '../hypercall/with-buffer.ts'
import type { Platform } from '../platform/platform.ts'

/** SHUTDOWN_suspend. */
const SUSPEND = 2

/** Suspends a guest that need not know of it. @throws BackendError BACKEND_SUSPEND */
export function suspendFromOutside({ hypercalls }: Platform, domain: number): void {
  withBuffer(hypercalls, stable.remoteShutdown.size, ({ address, bytes }) => {
    writeStruct(stable.remoteShutdown, bytes, 0, { domain, reason: SUSPEND })
    const result = hypercalls.call(HYPERCALL.schedOp, COMMAND.remoteShutdown, address)
    if (result < 0) throw refused('BACKEND_SUSPEND', `domain ${domain} cannot be suspended`, -result)
  })
}
