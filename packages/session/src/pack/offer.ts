import { SessionError } from '../session-error.ts'
import type { CompressionChoice, Compressor } from './compressor.ts'

/** What `auto` prefers, best first; others of those that were injected come after, in their order. */
const PREFERRED = ['zstd', 'lz4']

/**
 * The names to offer to the peer.
 *
 * @throws SessionError SESSION_COMPRESSION when what was asked for is not there.
 */
export function compressionOffer(choice: CompressionChoice, available: readonly Compressor[]): readonly string[] {
  const names = available.map(({ name }) => name)
  if (choice === 'none') return []
  if (choice === 'auto') return [...PREFERRED.filter((name) => names.includes(name)), ...names.filter((name) => !PREFERRED.includes(name))]
  if (names.includes(choice)) return [choice]
  throw new SessionError('SESSION_COMPRESSION', `compression '${choice}' is not available`, { hint: `here there is: ${['none', 'auto', ...names].join(', ')}` })
}

/** The first of the offer that this side has too and allows. @returns undefined: none. */
export function chooseCompressor(offer: readonly string[], choice: CompressionChoice, available: readonly Compressor[]): Compressor | undefined {
  const allowed = compressionOffer(choice, available)
  const name = offer.find((wanted) => allowed.includes(wanted))
  return available.find((one) => one.name === name)
}
