import type { LeftNote } from '../running/left-notes.ts'
import type { Host } from './host.ts'
import { settleLeft, type Settled } from './settle-left.ts'

/** How long the backup gets to ask the arbiter first, in milliseconds: where the process of the primary is gone, it takes over at once. */
const GRACE_MS = 2000

/** A guest that was stood in for. */
export interface StoodIn {
  readonly guests: readonly string[]
  readonly fate: Settled
}

/**
 * Stands in for a process that died while it protected guests: other processes find it as they found that one, and operators may decide.
 *
 * @param pid of the process.
 * @returns undefined where it has left nothing, or somebody else sees to it.
 * @throws BackendError: the guests stand then
 */
export async function standIn(host: Host, { pid }: { readonly pid: number }, signal: AbortSignal): Promise<StoodIn | undefined> {
  const note = (await host.notes.all()).find((one) => one.pid === pid && one.process === 'gone')
  if (note === undefined) return undefined
  return host.operations.run(factsOf(note), signal, async (operation) => {
    if (!host.notes.take(note, operation.id)) return undefined
    return { guests: note.guests.map(({ name }) => name), fate: await settleLeft(host, { note, graceMs: GRACE_MS, undecided: 'ask-on' }, operation) }
  })
}

/** As of the operation that is gone. */
function factsOf({ verb, guests }: LeftNote): { readonly verb: string; readonly guest: string; readonly domId: number | undefined; readonly uuid: string | undefined; readonly url: undefined } {
  const [first] = guests
  return { verb, guest: guests.map(({ name }) => name).join(' '), domId: first?.domId, uuid: first?.uuid, url: undefined }
}
