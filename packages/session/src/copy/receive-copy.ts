import { reasonOf } from '../frame/reason.ts'
import { same } from '../hello/greet.ts'
import { openReceiver, type Begun, type OpenOptions } from '../open.ts'
import { nodeCompressors } from '../pack/compressor.ts'
import { SessionError } from '../session-error.ts'
import type { Session } from '../session.ts'
import { StreamDigest } from '../stream/stream-digest.ts'
import { StreamSource } from '../stream/stream-source.ts'
import { endWith } from '../wire/end-with.ts'
import { within } from '../wire/within.ts'
import { writeNotes, readNotes } from './notes.ts'
import type { PartStore } from './part-store.ts'

export const COPY = 'copy'
/** Bytes that are read at once when a part is looked at again. */
const PIECE = 1024 * 1024
/** How long the sender may take to hear that all is there, in ms. */
const LAST_MS = 10_000

/** As for any session; `signal` ends the whole transfer. */
export type CopyOptions = Omit<OpenOptions, 'purpose' | 'acknowledge' | 'lasting'>

/**
 * Receives a stream into a part. When it is interrupted the part stays, and the same call goes on with it if the same sender comes back, over a new link
 * or to a new process.
 *
 * @returns bytes of the stream.
 * @throws SessionError SESSION_DIGEST, SESSION_PART, …; LinkError; what the store throws
 */
export async function receiveCopy(options: CopyOptions, store: PartStore): Promise<number> {
  try {
    return await received(options, store)
  } finally {
    await store.close()
  }
}

async function received(options: CopyOptions, store: PartStore): Promise<number> {
  let digest: StreamDigest | undefined
  let isOld = false
  const session = await openReceiver({ ...options, purpose: COPY, acknowledge: 'made-safe', lasting: true }, async ({ session: wanted }) => {
    const begun = await begunBefore(store, [...(options.compressors ?? []), ...nodeCompressors()])
    if (begun === undefined || !same(begun.agreement.session, wanted)) return undefined
    digest = await digestOf(store, begun.agreement.key, begun.start.offset)
    isOld = true
    return begun
  })
  const stop = endWith(session, options.signal)
  try {
    if (!isOld) await store.open(0)
    const bytes = await collect(session, store, digest)
    await store.finish()
    await session.send('received', {})
    await within(session.clock, LAST_MS, 'the word that the sender knows', session.settled())
    await session.end()
    return bytes
  } catch (error) {
    await session.abort('abort', reasonOf(error))
    throw error
  } finally {
    stop()
  }
}

async function collect(session: Session, store: PartStore, begun: StreamDigest | undefined): Promise<number> {
  const source = new StreamSource(session, begun)
  for (;;) {
    const bytes = await source.read(session.agreement.batch)
    if (bytes === undefined) break
    await store.append(bytes)
    const { offset, frame } = source.place
    await store.note(writeNotes(session.agreement, { sent: 0, received: frame, offset }))
    session.madeSafe(frame)
  }
  if (!source.isWhole) throw new SessionError('SESSION_UNEXPECTED', 'something else than the end of the stream came')
  session.madeSafe(source.place.frame)
  return session.verified
}

async function begunBefore(store: PartStore, compressors: Parameters<typeof readNotes>[2]): Promise<Begun | undefined> {
  const text = await store.notes()
  return text === undefined ? undefined : readNotes(text, 'receiver', compressors)
}

/** Opens the part again and goes through what is there. @throws SessionError SESSION_PART when there is less than was noted */
async function digestOf(store: PartStore, key: Uint8Array, length: number): Promise<StreamDigest> {
  const digest = new StreamDigest(key)
  let at = 0
  if ((await store.open(length)) === length) {
    for (let piece: Uint8Array | undefined; at < length; at += piece.length) {
      piece = await store.read(at, Math.min(PIECE, length - at))
      if (piece === undefined) break
      digest.update(piece)
    }
  }
  if (at < length) throw new SessionError('SESSION_PART', `${length} bytes were noted, ${at} are there`)
  return digest
}
