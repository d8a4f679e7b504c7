import { definePlugin, type Settings } from '@xen-replication/plugin-api'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { withFaults } from './faults/with-faults.ts'
import { parseFaults } from './faults/fault-plan.ts'
import { openMockHost } from './host/open-host.ts'

/** Directory of the host of someone who names none: below the user's state directory. */
function defaultDirectory(): string {
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'xr', 'mock')
}

/**
 * The simulated host as the backend `mock`. Settings: `mock-host`, its directory; `mock-faults`, a plan of what goes wrong, as
 * `parseFaults()` reads it.
 */
export const mockPlugin = definePlugin({
  name: '@xen-replication/backend-mock',
  api: 1,
  contribute: (to) =>
    to.backend('mock', {
      summary: 'A simulated host whose guests live in a directory; nothing of it is real, and nobody needs to be root.',
      open: async (settings: Settings) => {
        const faults = parseFaults(settings['mock-faults'] ?? '') // told before anything is made
        const host = await openMockHost(settings['mock-host'] ?? defaultDirectory())
        return faults.length === 0 ? host : withFaults(host, faults)
      },
    }),
})
