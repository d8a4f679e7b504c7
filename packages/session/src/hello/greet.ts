import { LinkError } from '@xen-replication/plugin-api'
import { MAGIC, NONCE_BYTES, SESSION_ID_BYTES, type Hello } from '../frame/hello.ts'
import { reasonOf } from '../frame/reason.ts'
import type { BodyOf, FrameName } from '../frame/table.ts'
import type { CompressionChoice, Compressor } from '../pack/compressor.ts'
import { chooseCompressor, compressionOffer } from '../pack/offer.ts'
import { SessionError } from '../session-error.ts'
import type { SessionLimits } from '../session-options.ts'
import type { Wire } from '../wire/wire.ts'
import { checkGreeting, chosenCompressor, commonVersion, PROTOCOL, ROLE, type Agreement, type VersionRange } from './agreement.ts'
import { peerAborted } from './peer-words.ts'
import { sessionKey } from './token.ts'

/** What one side brings to a greeting. */
export interface Manners {
  readonly purpose: string
  readonly limits: SessionLimits
  /** Capabilities, as bits: those this side has, and those without which it will not begin. */
  readonly can: number
  readonly must: number
  readonly compression: CompressionChoice
  readonly compressors: readonly Compressor[]
  /** Random bytes nobody can guess. */
  readonly random: (bytes: number) => Uint8Array
  readonly versions?: VersionRange
}

const nothing = new Uint8Array(NONCE_BYTES)
const spoken: VersionRange = { minVersion: PROTOCOL.least, maxVersion: PROTOCOL.most }

/** What `hello` and `welcome` have in common. */
export function introduction({ limits, can, must, versions = spoken }: Manners, role: keyof typeof ROLE) {
  return { magic: MAGIC, ...versions, role: ROLE[role], can, must, window: limits.windowBytes, batch: limits.batchBytes }
}

/** Begins a session: the sender speaks first. @throws SessionError, LinkError */
export async function greetAsSender(wire: Wire, manners: Manners): Promise<Agreement> {
  const { purpose, can, must, compression, compressors, random, versions = spoken } = manners
  const offer = compressionOffer(compression, compressors)
  const session = random(SESSION_ID_BYTES)
  const nonce = random(NONCE_BYTES)
  const ours = introduction(manners, 'sender')
  await wire.send('hello', { ...ours, resuming: 0, session, nonce, names: [purpose, ...offer] })
  const theirs = await greeting(wire, 'welcome')
  return refusing(wire, () => {
    checkGreeting(theirs, 'receiver', can, must)
    const version = commonVersion(versions, theirs)
    if (version !== theirs.version || theirs.resuming !== 0 || !same(theirs.session, session)) {
      throw new SessionError('SESSION_MALFORMED', `the peer answers something else: version ${theirs.version} where ${version} is right, or another session`)
    }
    return {
      role: 'sender' as const, purpose, version, session, key: sessionKey(session, [nonce, theirs.nonce]), can: can & theirs.can,
      compressor: chosenCompressor(theirs.names, offer, compression, compressors), batch: Math.min(ours.batch, theirs.batch), window: theirs.window,
    }
  })
}

/** Answers the sender's first word. @throws SessionError, LinkError */
export async function greetAsReceiver(wire: Wire, manners: Manners, theirs: Hello): Promise<Agreement> {
  const { purpose, can, must, compression, compressors, random, versions = spoken } = manners
  const ours = introduction(manners, 'receiver')
  const nonce = random(NONCE_BYTES)
  const { session } = theirs
  const agreement = await refusing(wire, () => {
    checkGreeting(theirs, 'sender', can, must)
    if (theirs.resuming !== 0) throw new SessionError('SESSION_GONE', 'this side knows nothing of the session that the peer wants to go on with')
    const [wanted, ...offer] = theirs.names
    if (wanted !== purpose) throw new SessionError('SESSION_ROLE', `the peer wants to ${wanted ?? 'do nothing'}, this side is here to ${purpose}`)
    return {
      role: 'receiver' as const, purpose, version: commonVersion(versions, theirs), session, key: sessionKey(session, [theirs.nonce, nonce]), can: can & theirs.can,
      compressor: chooseCompressor(offer, compression, compressors), batch: Math.min(ours.batch, theirs.batch), window: ours.window,
    }
  })
  const names = agreement.compressor === undefined ? [] : [agreement.compressor.name]
  await wire.send('welcome', { ...ours, resuming: 0, version: agreement.version, session, nonce, next: 1, offset: 0, token: nothing, names })
  return agreement
}

/**
 * The one greeting that is due.
 *
 * @throws LinkError LINK_LOST when the peer goes without one; SessionError SESSION_PEER_ABORTED when the peer refuses, SESSION_ROLE when it is on the same side, SESSION_UNEXPECTED, SESSION_NOT_XR
 */
export async function greeting<N extends FrameName>(wire: Wire, name: N): Promise<BodyOf<N>> {
  const frame = await wire.read()
  if (frame === undefined) throw new LinkError('LINK_LOST', 'the peer closed the connection instead of a greeting', { hint: 'look at the output of the other side; it has to be `xr receive`' })
  if (frame.name === name) return frame.body as BodyOf<N>
  if (frame.name === 'abort') throw peerAborted(frame.body)
  if (frame.name === 'hello') throw new SessionError('SESSION_ROLE', 'both sides want to send')
  throw new SessionError('SESSION_UNEXPECTED', `a ${frame.name} frame came where ${name} was due`)
}

/** Tells the peer why, when this side does not want. */
export async function refusing<T>(wire: Wire, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await wire.send('abort', reasonOf(error), 1).catch(() => undefined)
    throw error
  }
}

export const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])
