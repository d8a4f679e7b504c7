import type { CountedSink } from './counted-sink.ts'
import { enableDirtyLog, takeDirty } from './dirty-pages.ts'
import { SaveError } from './save-error.ts'
import type { SaveRun } from './save-run.ts'

/**
 * Sends memory while the guest runs: all of it, then again and again what it wrote meanwhile, until the policy says stop.
 * Source: xg_sr_save.c, send_memory_live().
 *
 * @returns how many times it went through memory.
 * @throws SaveError SAVE_ABORTED when the policy gives up
 */
export async function precopy(run: SaveRun, sink: CountedSink): Promise<number> {
  const { guest, shape, writer, todo, observe } = run
  await enableDirtyLog(guest.dirty)
  todo.fill()
  let sent = 0
  let dirty = shape.pages
  for (let round = 0; ; round++) {
    shape.verifyUnmoved()
    const decision = decide(run, round, sent, dirty)
    await writer.send(todo, { pass: 'live', round, expected: dirty, later: 'yes' }, sink)
    sent += dirty
    if (decision === 'stop' || decide(run, round + 1, sent, -1) === 'stop') return round + 1
    dirty = await takeDirty(guest.dirty, todo)
    observe({ type: 'dirty', round: round + 1, pages: dirty })
  }
}

function decide({ policy }: SaveRun, round: number, sent: number, dirty: number): 'again' | 'stop' {
  const decision = policy({ round, sent, dirty })
  if (decision !== 'abort') return decision
  throw new SaveError('SAVE_ABORTED', `the precopy policy gave up in round ${round}, with ${dirty < 0 ? 'an unknown number of' : dirty} pages to go`)
}
