import type { AnyObservedEvent } from '@xen-replication/plugin-api'
import process from 'node:process'
import type { Registry } from '../operations/operation.ts'
import { openControl, type ControlServer } from './control-server.ts'
import type { ProtectionNote } from '../observe/tool-events.ts'
import { OperationWatch } from './operation-state.ts'
import { removeNote, writeNote } from './left-notes.ts'
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
      const note = control === undefined ? () => undefined : noteKeeper(runDir, id, trouble)
      return {
        observe: (event) => {
          watch.see(event)
          note(event)
        },
        leave: async () => {
          if (control !== undefined) removeNote(runDir, id)
          await control?.close(watch.end)
        },
      }
    },
  }
}

/** Notes which guests are protected while they are, before anybody else may run them. */
function noteKeeper(runDir: string, id: string, trouble: (why: string) => void): (event: AnyObservedEvent) => void {
  let note: ProtectionNote | undefined
  return (event) => {
    if (event.kind === 'replication.paired') note = event.data
    else if (event.kind === 'strategy.move' && event.data.to === 'handed' && note !== undefined) note = { ...note, given: true }
    else return
    try {
      writeNote(runDir, id, note)
    } catch (error) {
      trouble(`when this process dies nobody will know that its guest was protected: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}
