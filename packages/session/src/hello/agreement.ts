import type { Compressor } from '../pack/compressor.ts'
import { chooseCompressor } from '../pack/offer.ts'
import { SessionError } from '../session-error.ts'
import { sessionLimits } from '../session-options.ts'
import { MAGIC, type Hello, type Welcome } from '../frame/hello.ts'
import { capabilities, requireCapabilities } from './capability.ts'

/** Versions of the protocol that this package speaks. Version 0 never was. */
export const PROTOCOL = { least: 1, most: 1 } as const

export const ROLE = { sender: 1, receiver: 2 } as const
export type RoleName = keyof typeof ROLE

/** What the two sides of a session agreed on. */
export interface Agreement {
  readonly role: RoleName
  /** `migrate`, `copy`, or the name of a strategy. */
  readonly purpose: string
  readonly version: number
  readonly session: Uint8Array
  /** For tokens; nobody else has it as long as nobody reads the wire. */
  readonly key: Uint8Array
  /** Capabilities that both have, as bits. */
  readonly can: number
  readonly compressor: Compressor | undefined
  /** Longest batch, in bytes of the stream. */
  readonly batch: number
  /** What the receiver holds for its application, in bytes of the stream. */
  readonly window: number
}

export interface VersionRange {
  readonly minVersion: number
  readonly maxVersion: number
}

/**
 * The highest version that both speak.
 *
 * @throws SessionError SESSION_VERSION, SESSION_MALFORMED for a range that is none
 */
export function commonVersion(ours: VersionRange, theirs: VersionRange): number {
  if (theirs.minVersion === 0 || theirs.minVersion > theirs.maxVersion) {
    throw new SessionError('SESSION_MALFORMED', `the peer speaks versions ${theirs.minVersion} to ${theirs.maxVersion}, which cannot be`)
  }
  const version = Math.min(ours.maxVersion, theirs.maxVersion)
  if (version >= Math.max(ours.minVersion, theirs.minVersion)) return version
  const newer = theirs.minVersion > ours.maxVersion
  throw new SessionError('SESSION_VERSION', `the peer speaks versions ${theirs.minVersion} to ${theirs.maxVersion}, we speak ${ours.minVersion} to ${ours.maxVersion}`, {
    hint: newer ? 'use a newer xr on this host' : 'use a newer xr on the other host',
  })
}

/**
 * What every greeting has to be, whoever sends it.
 *
 * @throws SessionError SESSION_NOT_XR, SESSION_ROLE, SESSION_CAPABILITY, SESSION_MALFORMED
 */
export function checkGreeting(greeting: Hello | Welcome, role: RoleName, can: number, must: number): void {
  if (!MAGIC.every((byte, i) => byte === greeting.magic[i])) throw new SessionError('SESSION_NOT_XR', 'the greeting does not begin with the magic bytes')
  if (greeting.role !== ROLE[role]) throw new SessionError('SESSION_ROLE', `the peer has role ${greeting.role}, ${ROLE[role]} (the ${role}) wanted`)
  const { batchBytes, windowBytes } = sessionLimits
  if (greeting.batch < batchBytes.least || greeting.batch > batchBytes.most || greeting.window < greeting.batch || greeting.window > windowBytes.most) {
    throw new SessionError('SESSION_MALFORMED', `batches of ${greeting.batch} bytes in a window of ${greeting.window} cannot be`)
  }
  requireCapabilities(greeting.must, can, 'this side')
  requireCapabilities(must, greeting.can, 'the peer')
}

/** Whether both sides can go on after a lost link. */
export const isResumable = ({ can }: Agreement): boolean => (can & capabilities.resume) !== 0

/** Whether runs of zeros may be left out. */
export const leavesOutZeros = ({ can }: Agreement): boolean => (can & capabilities.zeros) !== 0

/** Whether the receiver restores images that have no entries for holes of the guest's memory. */
export const restoresWithoutHoles = ({ can }: Agreement): boolean => (can & capabilities.holes) !== 0

/** Whether pages may be packed against copies. */
export const packsPages = ({ can }: Agreement): boolean => (can & capabilities.deltas) !== 0

/**
 * What the receiver chose of our offer.
 *
 * @throws SessionError SESSION_MALFORMED when we did not offer it; SESSION_COMPRESSION when the user wanted one by name and it was not taken
 */
export function chosenCompressor(names: readonly string[], offer: readonly string[], wanted: string, available: readonly Compressor[]): Compressor | undefined {
  if (names.length > 1 || names.some((name) => !offer.includes(name))) throw new SessionError('SESSION_MALFORMED', 'the peer chose a compression that was not offered')
  if (names.length === 0 && wanted !== 'auto' && wanted !== 'none') {
    throw new SessionError('SESSION_COMPRESSION', `the peer cannot do '${wanted}'`, { hint: 'use --compress auto, or a version of Node and plugins that can on the other host' })
  }
  return chooseCompressor(names, wanted, available)
}
