import { SessionError } from '../session-error.ts'

const NAME_MAX = 32
const NAMES_MAX = 8
/** Longest list of names, in bytes. */
export const NAMES_BYTES = 1 + NAMES_MAX * (1 + NAME_MAX)

/** A list of short names: u8 count, then each as u8 length and ASCII of small letters, digits and `+.:-`. */
export function decodeNames(bytes: Uint8Array): readonly string[] {
  const names: string[] = []
  let at = 1
  for (let left = bytes[0] ?? 0; left > 0; left -= 1) {
    const end = at + 1 + (bytes[at] ?? 0)
    names.push(String.fromCharCode(...bytes.subarray(at + 1, Math.min(end, at + 2 + NAME_MAX))))
    at = end
  }
  if (bytes.length !== at || names.length > NAMES_MAX || !names.every(isName)) throw new SessionError('SESSION_MALFORMED', 'a list of names does not follow its layout')
  return names
}

/** @throws SessionError SESSION_OPTION for names that the wire does not take. */
export function encodeNames(names: readonly string[]): Uint8Array {
  const bad = names.find((name) => !isName(name))
  if (bad !== undefined || names.length > NAMES_MAX) {
    throw new SessionError('SESSION_OPTION', bad === undefined ? `${names.length} names are too many` : `'${bad}' is not a name for the wire`, {
      hint: `at most ${NAMES_MAX} names of small letters, digits and +.:- of at most ${NAME_MAX} letters`,
    })
  }
  return Uint8Array.from([names.length, ...names.flatMap((name) => [name.length, ...Array.from(name, (char) => char.charCodeAt(0))])])
}

const isName = (name: string): boolean => name.length <= NAME_MAX && /^[a-z0-9][a-z0-9+.:-]*$/.test(name)
