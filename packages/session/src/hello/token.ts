import { createHmac, timingSafeEqual } from 'node:crypto'

/** What a token is bound to: it is of no use for another session, another place in it, another attempt or the other side. */
export interface TokenFacts {
  readonly side: 'sender' | 'receiver'
  readonly session: Uint8Array
  /** The frame that this side wants next. */
  readonly next: number
  /** Bytes of the stream that the receiver has verified. */
  readonly offset: number
  /** What both sides drew for this attempt. */
  readonly nonces: readonly [sender: Uint8Array, receiver: Uint8Array]
}

/** The key of a session, out of what both sides drew for it and sent over its first link. */
export function sessionKey(session: Uint8Array, nonces: TokenFacts['nonces']): Uint8Array {
  return createHmac('sha256', nonces[0]).update('xr session key\0').update(session).update(nonces[1]).digest()
}

/** HMAC-SHA256 over the facts. */
export function signToken(key: Uint8Array, { side, session, next, offset, nonces }: TokenFacts): Uint8Array {
  const numbers = new DataView(new ArrayBuffer(16))
  numbers.setBigUint64(0, BigInt(next), true)
  numbers.setBigUint64(8, BigInt(offset), true)
  const hmac = createHmac('sha256', key).update(`xr resume ${side}\0`).update(session)
  return hmac.update(new Uint8Array(numbers.buffer)).update(nonces[0]).update(nonces[1]).digest()
}

/** Takes the same time for every wrong token. */
export function isToken(key: Uint8Array, facts: TokenFacts, token: Uint8Array): boolean {
  const right = signToken(key, facts)
  return token.length === right.length && timingSafeEqual(token, right)
}
