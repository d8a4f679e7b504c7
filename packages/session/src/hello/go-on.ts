import { NONCE_BYTES, type Hello } from '../frame/hello.ts'
import { SessionError } from '../session-error.ts'
import type { Wire } from '../wire/wire.ts'
import type { Agreement } from './agreement.ts'
import { greeting, introduction, refusing, same, type Manners } from './greet.ts'
import { isToken, signToken } from './token.ts'

/** Where one side of a session is. */
export interface Place {
  /** The frame that it wants next. */
  readonly next: number
  /** Bytes of the stream that the receiver has verified; of no meaning at the sender. */
  readonly offset: number
}

/** Goes on with a session over a new link. @returns where the receiver is. @throws SessionError SESSION_TOKEN, SESSION_PEER_ABORTED; LinkError */
export async function goOnAsSender(wire: Wire, manners: Manners, agreement: Agreement, next: number): Promise<Place> {
  const { session, key, purpose } = agreement
  const nonce = manners.random(NONCE_BYTES)
  await wire.send('hello', { ...introduction(manners, 'sender'), resuming: 1, session, nonce, names: [purpose] })
  const theirs = await greeting(wire, 'welcome')
  const nonces = [nonce, theirs.nonce] as const
  const { next: wanted, offset, token } = theirs
  await refusing(wire, () => {
    if (!isToken(key, { side: 'receiver', session, next: wanted, offset, nonces }, token)) throw notThePeer()
  })
  await wire.send('resume', { next, token: signToken(key, { side: 'sender', session, next, offset, nonces }) })
  return { next: wanted, offset }
}

/** Lets the sender go on. @returns the frame that it wants next. @throws SessionError SESSION_BUSY, SESSION_GONE, SESSION_TOKEN; LinkError */
export async function goOnAsReceiver(wire: Wire, manners: Manners, agreement: Agreement, { next, offset }: Place, theirs: Hello): Promise<number> {
  const { session, key, version } = agreement
  await refusing(wire, () => {
    if (theirs.resuming !== 1) throw new SessionError('SESSION_BUSY', 'this side waits for the peer of a session to come back')
    if (!same(theirs.session, session)) throw new SessionError('SESSION_GONE', 'this side waits for the peer of another session')
  })
  const nonce = manners.random(NONCE_BYTES)
  const nonces = [theirs.nonce, nonce] as const
  const token = signToken(key, { side: 'receiver', session, next, offset, nonces })
  await wire.send('welcome', { ...introduction(manners, 'receiver'), resuming: 1, version, session, nonce, next, offset, token, names: [] })
  const answer = await greeting(wire, 'resume')
  await refusing(wire, () => {
    if (!isToken(key, { side: 'sender', session, next: answer.next, offset, nonces }, answer.token)) throw notThePeer()
  })
  return answer.next
}

const notThePeer = (): SessionError => new SessionError('SESSION_TOKEN', 'the token is not of the peer of this session')
