import { isLinkLost, type AbortSignalLike, type Channel, type Clock } from '@xen-replication/plugin-api'
import { randomBytes } from 'node:crypto'
import type { Hello } from './frame/hello.ts'
import { bitsOf, type CapabilityName } from './hello/capability.ts'
import type { Agreement } from './hello/agreement.ts'
import { goOnAsReceiver, goOnAsSender, type Place } from './hello/go-on.ts'
import { greetAsReceiver, greetAsSender, greeting, refusing, type Manners } from './hello/greet.ts'
import { nodeCompressors, type CompressionChoice, type Compressor } from './pack/compressor.ts'
import { compressionOffer } from './pack/offer.ts'
import { SessionError } from './session-error.ts'
import type { SessionObserver } from './session-event.ts'
import { sessionOptions, type SessionLimits } from './session-options.ts'
import type { GoOn, SessionPorts, Start } from './session-ports.ts'
import { Session } from './session.ts'
import { aborted, within } from './wire/within.ts'
import { Wire } from './wire/wire.ts'

/** What a session is opened with. */
export interface OpenOptions {
  readonly channel: Channel
  readonly clock: Clock
  /** What for: both sides have to say the same. */
  readonly purpose: string
  /** What else a receiver is ready for; what the sender wants is in the agreement. */
  readonly alsoFor?: readonly string[]
  readonly limits?: Partial<SessionLimits>
  /** Makes another channel to the same peer: dials, or accepts; gives up when the signal aborts. Absent: a lost link is the end. */
  readonly again?: (signal: AbortSignalLike) => Promise<Channel>
  readonly compression?: CompressionChoice
  /** Beside what Node brings along. */
  readonly compressors?: readonly Compressor[]
  /** Capabilities without which the peer is of no use. */
  readonly must?: readonly CapabilityName[]
  readonly observe?: SessionObserver
  readonly random?: (bytes: number) => Uint8Array
  readonly acknowledge?: SessionPorts['acknowledge']
  /** The session is written down, so that a new process can go on with it. */
  readonly lasting?: boolean
  /** Ends the attempt, not the session it led to. */
  readonly signal?: AbortSignalLike
}

/** A session that an earlier process has begun and written down. */
export interface Begun {
  readonly agreement: Agreement
  readonly start: Start
}

/**
 * Begins a session as the one who sends; speaks first.
 *
 * @throws SessionError; LinkError LINK_TIMEOUT, LINK_LOST; the reason of `signal`. The channel is closed then.
 */
export async function openSender(options: OpenOptions, begun?: Begun): Promise<Session> {
  const manners = mannersOf(options)
  const wire = new Wire(options)
  return greeted(wire, options, manners.limits, async () => {
    if (begun === undefined) return sessionOf(await greetAsSender(wire, manners), wire, manners, options)
    const { next, offset } = await goOnAsSender(wire, manners, begun.agreement, begun.start.received + 1)
    return sessionOf(begun.agreement, wire, manners, options, { ...begun.start, sent: next - 1, offset })
  })
}

/**
 * Begins a session as the one who receives.
 *
 * @param begun finds a session that an earlier process has begun. @throws as `openSender`
 */
export async function openReceiver(options: OpenOptions, begun?: (hello: Hello) => Promise<Begun | undefined>): Promise<Session> {
  const manners = mannersOf(options)
  const wire = new Wire(options)
  return greeted(wire, options, manners.limits, async () => {
    const hello = await greeting(wire, 'hello')
    const old = hello.resuming === 0 ? undefined : await refusing(wire, () => begun?.(hello))
    if (old === undefined) return sessionOf(await greetAsReceiver(wire, manners, hello), wire, manners, options)
    const { received, offset } = old.start
    const next = await goOnAsReceiver(wire, manners, old.agreement, { next: received + 1, offset }, hello)
    await refusing(wire, () => {
      if (next !== old.start.sent + 1) throw new SessionError('SESSION_GONE', `the peer wants to go on with frame ${next} of a process that is no more`)
    })
    return sessionOf(old.agreement, wire, manners, options, old.start)
  })
}

function mannersOf({ purpose, alsoFor = [], limits, compression = 'auto', compressors = [], must = [], random = randomBytes, again, lasting = false }: OpenOptions): Manners {
  const options = sessionOptions(limits)
  const goesOn = lasting || (again !== undefined && options.resumeWaitMs > 0)
  const can = bitsOf(['zeros', 'replication', 'holes', ...(goesOn ? (['resume'] as const) : []), ...(compression === 'none' ? [] : (['deltas'] as const))])
  const manners = { purpose, alsoFor, limits: options, can, must: bitsOf(must), compression, compressors: [...compressors, ...nodeCompressors()], random }
  compressionOffer(compression, manners.compressors)
  return manners
}

/** Does a greeting in the time there is for it. */
async function greeted<T>(wire: Wire, { clock, signal }: Pick<OpenOptions, 'clock' | 'signal'>, { handshakeMs }: SessionLimits, work: () => Promise<T>): Promise<T> {
  const stop = aborted(signal ?? new AbortController().signal)
  try {
    return await Promise.race([within(clock, handshakeMs, 'the greeting of the peer', work()), stop.failure])
  } catch (error) {
    await wire.leave(error)
    throw error
  } finally {
    stop.done()
  }
}

function sessionOf(agreement: Agreement, wire: Wire, manners: Manners, options: OpenOptions, start?: Start): Session {
  const { clock, again, observe = () => undefined, acknowledge = 'received' } = options
  const { limits } = manners
  const goOn = again === undefined || limits.resumeWaitMs === 0 ? undefined : goingOn(agreement, manners, clock, again)
  return new Session(agreement, wire, { clock, limits, goOn, observe, acknowledge }, start)
}

/** Tries again and again for as long as may be waited. A sender takes a refusal of the peer as final; a receiver lets strangers go and waits on. */
function goingOn(agreement: Agreement, manners: Manners, clock: Clock, again: NonNullable<OpenOptions['again']>): GoOn {
  const { resumeWaitMs, redialMs } = manners.limits
  return async (place, signal) => {
    const over = new AbortController()
    const stop = (): void => over.abort(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    const end = clock.sleep(resumeWaitMs, over.signal).then(() => over.abort(new Error('the time to wait for the peer is over')), () => undefined)
    try {
      while (!over.signal.aborted) {
        const back = await attempt(agreement, manners, clock, again, place, over.signal)
        if (back !== undefined) return back
        await clock.sleep(redialMs, over.signal).catch(() => undefined)
      }
      if (signal.aborted) throw signal.reason
      return undefined
    } finally {
      signal.removeEventListener('abort', stop)
      over.abort()
      await end
    }
  }
}

async function attempt(agreement: Agreement, manners: Manners, clock: Clock, again: NonNullable<OpenOptions['again']>, place: Place, signal: AbortSignalLike): ReturnType<GoOn> {
  const channel = await again(signal).catch(() => undefined)
  if (channel === undefined) return undefined
  const wire = new Wire({ channel, clock })
  try {
    return await greeted(wire, { clock, signal }, manners.limits, async () => {
      if (agreement.role === 'sender') return { wire, next: (await goOnAsSender(wire, manners, agreement, place.next)).next }
      return { wire, next: await goOnAsReceiver(wire, manners, agreement, place, await greeting(wire, 'hello')) }
    })
  } catch (error) {
    if (agreement.role === 'receiver' || isLinkLost(error) || signal.aborted) return undefined
    throw error
  }
}
