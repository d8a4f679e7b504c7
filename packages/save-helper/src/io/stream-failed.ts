import { HelperError } from '../helper-error.ts'

/** The error for a stream that the system does not take or give. */
export function streamFailed(how: 'read' | 'written', cause: unknown): HelperError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new HelperError('HELPER_STREAM', `the stream cannot be ${how}: ${why}`, { cause, hint: how === 'written' ? 'look for room on the disk, or at what the other end says' : undefined })
}
