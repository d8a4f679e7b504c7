import { reasonOf } from '../frame/reason.ts'
import { openSender } from '../open.ts'
import { nodeCompressors } from '../pack/compressor.ts'
import { SessionError } from '../session-error.ts'
import type { Session } from '../session.ts'
import { StreamDigest } from '../stream/stream-digest.ts'
import { StreamSink } from '../stream/stream-sink.ts'
import { endWith } from '../wire/end-with.ts'
import { readNotes, writeNotes } from './notes.ts'
import { COPY, type CopyOptions } from './receive-copy.ts'

/** Bytes that can be read from any place, more than once. */
export interface CopySource {
  /** @returns 1 to `max` bytes from `at`, valid until the next call; undefined at the end */
  read(at: number, max: number): Promise<Uint8Array | undefined>
}

/** Where the notes of a transfer are kept, so that a new process can go on with it. */
export interface CopyNotes {
  load(): Promise<string | undefined>
  save(notes: string): Promise<void>
  remove(): Promise<void>
}

const PIECE = 256 * 1024

/**
 * Sends all of a source to `receiveCopy` at the other end. With notes of an earlier attempt it goes on where the receiver is.
 *
 * @returns bytes of the stream.
 * @throws SessionError, LinkError; what source and notes throw. Notes stay as long as it makes sense to try again.
 */
export async function sendCopy(options: CopyOptions, source: CopySource, notes?: CopyNotes): Promise<number> {
  const text = await notes?.load()
  const begun = text === undefined ? undefined : readNotes(text, 'sender', [...(options.compressors ?? []), ...nodeCompressors()])
  const session = await openSender({ ...options, purpose: COPY, lasting: notes !== undefined }, begun).catch(async (error: unknown) => {
    if (error instanceof SessionError && begun !== undefined) await notes?.remove()
    throw error
  })
  const stop = endWith(session, options.signal)
  try {
    if (begun === undefined) await notes?.save(writeNotes(session.agreement, { sent: 0, received: 0, offset: 0 }))
    const bytes = await copy(session, source)
    await session.expect('received')
    await notes?.remove()
    await session.end()
    return bytes
  } catch (error) {
    const why = session.failure ?? error
    await session.abort('abort', reasonOf(why))
    throw why
  } finally {
    stop()
  }
}

async function copy(session: Session, source: CopySource): Promise<number> {
  const start = session.flow.sent
  const sink = new StreamSink(session, await digestOf(source, session.agreement.key, start))
  for (let at = start; ; ) {
    const bytes = await source.read(at, PIECE)
    if (bytes === undefined) break
    await sink.write([bytes])
    at += bytes.length
  }
  await sink.end()
  return sink.bytes
}

/** Goes through what the receiver has. @throws SessionError SESSION_PART when the source is shorter */
async function digestOf(source: CopySource, key: Uint8Array, length: number): Promise<StreamDigest> {
  const digest = new StreamDigest(key)
  for (let at = 0; at < length; ) {
    const bytes = await source.read(at, Math.min(PIECE, length - at))
    if (bytes === undefined) throw new SessionError('SESSION_PART', `the peer has ${length} bytes, the source is ${at} long`, { hint: 'the source has changed; start the transfer anew' })
    digest.update(bytes)
    at += bytes.length
  }
  return digest
}
