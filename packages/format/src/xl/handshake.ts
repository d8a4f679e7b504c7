import type { ByteReader } from '../bytes/byte-reader.ts'
import { FormatError } from '../format-error.ts'
import { printable } from './printable.ts'

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0))

/** The fixed messages of `xl migrate`, byte for byte; the banner goes without a NUL, the others with one. Source: xl.h, xl_migrate.c. */
export const xlMessages = {
  banner: ascii('xl migration receiver ready, send binary domain data.\n'),
  ready: ascii('domain received, ready to unpause\0'),
  permission: ascii('domain is yours, you are cleared to unpause\0'),
  report: ascii('my copy unpause results are as follows\0'),
} as const
export type XlMessage = keyof typeof xlMessages

/** What each message says, for people. */
const meanings: Readonly<Record<XlMessage, string>> = {
  banner: 'the receiver is there',
  ready: 'the receiver has the whole domain',
  permission: 'the domain is yours, let it run',
  report: 'how letting it run went: one byte follows, zero is good',
}

/** @returns what the message means, in a few words. */
export const xlMessageMeaning = (message: XlMessage): string => meanings[message]

/**
 * Takes one fixed message, exactly its length.
 *
 * @throws FormatError FMT_HANDSHAKE telling what came instead.
 */
export async function expectMessage(reader: ByteReader, which: XlMessage): Promise<void> {
  const offset = reader.offset
  const wanted = xlMessages[which]
  const came = await reader.upTo(wanted.length)
  if (came.length === wanted.length && wanted.every((byte, i) => byte === came[i])) return
  const what = came.length === 0 ? 'the peer closed the connection' : `"${printable(came)}" came${came.length < wanted.length ? ', then the end' : ''}`
  throw new FormatError('FMT_HANDSHAKE', `${which} ("${printable(wanted)}") wanted, ${what}`, { offset, hint: hints[which] })
}

const hints: Readonly<Record<XlMessage, string>> = {
  banner: 'the command on the other host must start `xl migrate-receive` and print nothing before it; run it by hand to see',
  ready: 'the receiver could not take the domain; its own messages and the log on that host tell why',
  permission: 'the sender gave up before the hand-over, or is no `xl migrate`',
  report: 'the receiver went away after the hand-over; look on that host whether the domain runs',
}

/**
 * Takes the byte that follows `report`. @returns 0 when the receiver's copy runs, something else when it does not.
 *
 * @throws FormatError FMT_HANDSHAKE when none comes.
 */
export async function expectStatus(reader: ByteReader): Promise<number> {
  const offset = reader.offset
  const [status] = await reader.upTo(1)
  if (status !== undefined) return status
  throw new FormatError('FMT_HANDSHAKE', 'the byte after report wanted, the peer closed the connection', { offset, hint: hints.report })
}

/** The byte that follows `report`. @param outcome of letting the copy run. */
export const encodeStatus = (outcome: 'running' | 'failed'): Uint8Array => Uint8Array.of(outcome === 'running' ? 0 : 1)
