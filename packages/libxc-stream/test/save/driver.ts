import { openImageSaver, type ImageSaver, type SaveEvent, type SaveOptions } from '@xen-replication/libxc-stream'
import { sinkOfBytes, type ByteSink } from '@xen-replication/format'
import { recordsOf, type Rec } from './gold.ts'
import type { ScriptedGuest } from './scripted-guest.ts'

/** What a save came to. */
export interface Outcome {
  readonly bytes: Uint8Array
  readonly records: readonly Rec[]
  readonly events: readonly SaveEvent[]
  readonly error: unknown
}

/** How a test has a guest saved. */
export interface Drive {
  readonly options: SaveOptions
  readonly checkpoints?: number
  readonly sink?: (to: ByteSink) => ByteSink
  /** Further pfns for every checkpoint. */
  readonly more?: readonly number[]
}

/** Saves to the end or to the first error, and always closes. */
export async function drive(guest: ScriptedGuest, { options, checkpoints = 0, sink = (to) => to, more = [] }: Drive): Promise<Outcome> {
  const memory = sinkOfBytes()
  const out = sink(memory)
  const events: SaveEvent[] = []
  let saver: ImageSaver | undefined
  let error: unknown
  try {
    saver = await openImageSaver(guest.forSave(), { observe: (event) => void events.push(event), ...options })
    await saver.begin(out)
    if (checkpoints === 0) await saver.finish(out)
    for (let i = 0; i < checkpoints; i++) {
      await saver.checkpoint(out, more)
      guest.resume()
    }
  } catch (thrown) {
    error = thrown
  }
  await saver?.close()
  const bytes = memory.bytes()
  return { bytes, records: error === undefined ? recordsOf(bytes) : [], events, error }
}

/** As `drive`, where no error is expected. */
export async function saved(guest: ScriptedGuest, how: Drive): Promise<Outcome> {
  const outcome = await drive(guest, how)
  if (outcome.error !== undefined) throw outcome.error as Error
  return outcome
}

/** The code of the error that a save came to. */
export const codeOf = async (guest: ScriptedGuest, how: Drive): Promise<unknown> => ((await drive(guest, how)).error as { code?: unknown } | undefined)?.code
