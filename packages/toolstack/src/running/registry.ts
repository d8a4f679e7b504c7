import process from 'node:process'
import type { Registry } from '../operations/operation.ts'
import { openControl, type ControlServer } from './control-server.ts'
import { OperationWatch } from './operation-state.ts'
import { makeRunDir, socketPath } from './run-dir.ts'

/**
 * Lets other processes of the same user find operations under way, by a socket each in `runDir`. Where that cannot be, the operation goes on without.
 *
 * @param trouble told why, in that case
 */
export function createRegistry(runDir: string, now: () => number, trouble: (why: string) => void): Registry {
  return {
    enter: async (id, facts, abort, wish) => {
      const watch = new OperationWatch(facts)
      const began = now()
      let control: ControlServer | undefined
      try {
        makeRunDir(runDir)
        control = await openControl(socketPath(runDir, id), {
          status: () => watch.state(id, process.pid, (now() - began) / 1000),
          abort: () => abort('`xr abort`'),
          failover: () => wish?.('failover'),
        })
      } catch (error) {
        trouble(`xr status and xr abort will not find this: ${error instanceof Error ? error.message : String(error)}`)
      }
      return {
        observe: (event) => watch.see(event),
        leave: async () => control?.close(watch.end),
      }
    },
  }
}
