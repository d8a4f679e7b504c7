import type { Compressor } from '../pack/compressor.ts'
import { PROTOCOL, type Agreement, type RoleName } from '../hello/agreement.ts'
import { isToken, signToken } from '../hello/token.ts'
import type { Begun } from '../open.ts'
import { SessionError } from '../session-error.ts'
import type { Start } from '../session-ports.ts'

/** What is written beside a transfer so that a new process can go on with it. It holds the key of the session: nobody else may read it. */
interface Notes {
  readonly schema: typeof SCHEMA
  readonly role: RoleName
  readonly purpose: string
  readonly version: number
  readonly session: string
  readonly key: string
  readonly can: number
  readonly compression: string
  readonly batch: number
  readonly window: number
  readonly sent: number
  readonly received: number
  readonly offset: number
  /** Signs session and place, so that a torn or mixed-up file shows. */
  readonly token: string
}

const SCHEMA = 'xr.transfer/1'
const NONE = new Uint8Array(0)

/** The place of a session as text. */
export function writeNotes({ role, purpose, version, session, key, can, compressor, batch, window }: Agreement, { sent, received, offset }: Start): string {
  const notes: Notes = {
    schema: SCHEMA, role, purpose, version, session: hex(session), key: hex(key), can, compression: compressor?.name ?? 'none', batch, window,
    sent, received, offset, token: hex(signToken(key, { side: role, session, next: received + 1, offset, nonces: [NONE, NONE] })),
  }
  return `${JSON.stringify(notes)}\n`
}

/**
 * Reads it back.
 *
 * @throws SessionError SESSION_PART when it is damaged or of another version, SESSION_COMPRESSION when what was agreed on is not available any more
 */
export function readNotes(text: string, role: RoleName, compressors: readonly Compressor[]): Begun {
  const notes = parsed(text)
  const session = Buffer.from(notes.session, 'hex')
  const key = Buffer.from(notes.key, 'hex')
  const { purpose, version, can, batch, window, sent, received, offset, compression } = notes
  if (notes.role !== role || !isToken(key, { side: role, session, next: received + 1, offset, nonces: [NONE, NONE] }, Buffer.from(notes.token, 'hex'))) {
    throw new SessionError('SESSION_PART', 'the notes of the transfer are damaged or belong to something else')
  }
  const compressor = compressors.find(({ name }) => name === compression)
  if (compressor === undefined && compression !== 'none') throw new SessionError('SESSION_COMPRESSION', `the transfer was begun with '${compression}', which is not available now`)
  return { agreement: { role, purpose, version, session, key, can, compressor, batch, window }, start: { sent, received, offset } }
}

function parsed(text: string): Notes {
  try {
    const notes = JSON.parse(text) as Notes
    const { schema, version, session, key, token, batch, window, sent, received, offset } = notes
    const numbers = [batch, window, sent, received, offset]
    if (schema === SCHEMA && version >= PROTOCOL.least && version <= PROTOCOL.most && [session, key, token].every(isHex) && numbers.every(isCount)) return notes
  } catch (cause) {
    throw new SessionError('SESSION_PART', 'the notes of the transfer cannot be read', { cause })
  }
  throw new SessionError('SESSION_PART', 'the notes of the transfer are of another version')
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const isHex = (value: unknown): boolean => typeof value === 'string' && /^([0-9a-f]{2})+$/.test(value)
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
