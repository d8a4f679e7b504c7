import { SessionError } from '../session-error.ts'

/** What a side can do beyond the first version, as bits. A bit is never used again for something else. */
export const capabilities = {
  /** Goes on after a lost link. */
  resume: 1,
  /** Understands batches with runs of zeros left out. */
  zeros: 2,
  /** Knows epochs and the words of strategies. */
  replication: 4,
  /** Restores images that have no entries for holes of the guest's memory. */
  holes: 8,
  /** Packs pages of epochs against copies that both sides keep. */
  deltas: 16,
} as const

export type CapabilityName = keyof typeof capabilities

export const bitsOf = (names: readonly CapabilityName[]): number => names.reduce((bits, name) => bits | capabilities[name], 0)

export const namesOf = (bits: number): readonly CapabilityName[] => (Object.keys(capabilities) as CapabilityName[]).filter((name) => (bits & capabilities[name]) !== 0)

/**
 * Looks whether one side can do what the other insists on. @param who cannot, for the message.
 *
 * @throws SessionError SESSION_CAPABILITY
 */
export function requireCapabilities(must: number, can: number, who: string): void {
  const lacking = (must & ~can) >>> 0
  if (lacking === 0) return
  const names = namesOf(lacking)
  throw new SessionError('SESSION_CAPABILITY', `${who} cannot do ${names.length > 0 ? names.join(', ') : `what bits 0x${lacking.toString(16)} stand for`}`)
}
