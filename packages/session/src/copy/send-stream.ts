import type { ByteSink } from '@xen-replication/format'
import type { AbortSignalLike } from '@xen-replication/plugin-api'
import { reasonOf } from '../frame/reason.ts'
import { openSender } from '../open.ts'
import { StreamSink } from '../stream/stream-sink.ts'
import { endWith } from '../wire/end-with.ts'
import { COPY, type CopyOptions } from './receive-copy.ts'

/**
 * Sends what is made on the way, and can be made once only, to `receiveCopy` at the other end. It goes on over a new link, but not with a new process.
 *
 * @param write its signal aborts when the operator gives up or the link is gone for good, with why.
 * @returns bytes of the stream, once the peer has said that all of it is safe there.
 * @throws SessionError, LinkError; what `write` throws
 */
export async function sendStream(options: CopyOptions, write: (sink: ByteSink, signal: AbortSignalLike) => Promise<void>): Promise<number> {
  const session = await openSender({ ...options, purpose: COPY })
  const stop = endWith(session, options.signal)
  try {
    const sink = new StreamSink(session)
    await write(sink, session.signal)
    await sink.end()
    await session.expect('received')
    await session.end()
    return sink.bytes
  } catch (error) {
    const why = session.failure ?? error // who writes may have wrapped it
    await session.abort('abort', reasonOf(why))
    throw why
  } finally {
    stop()
  }
}
