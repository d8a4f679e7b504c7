import { isXrError, XrError, type ErrorDetail } from '@xen-replication/errors'

/**
 * USAGE: the command line makes no sense. FILE_*, NOT_A_FILE: a name given cannot be used. NOT_AN_IMAGE: it can, but what is in it is something else. IO: reading or writing failed later.
 * INTERRUPTED: a signal came. OUTPUT_CLOSED: nobody reads stdout any more.
 */
export type CliErrorCode =
  | 'CLI_USAGE'
  | 'CLI_FILE_NOT_FOUND'
  | 'CLI_FILE_DENIED'
  | 'CLI_FILE_EXISTS'
  | 'CLI_NOT_A_FILE'
  | 'CLI_NOT_AN_IMAGE'
  | 'CLI_IO'
  | 'CLI_INTERRUPTED'
  | 'CLI_OUTPUT_CLOSED'

/** What goes wrong between the command line, the file system and the image. */
export class CliError extends XrError<CliErrorCode> {
  override readonly name = 'CliError'

  constructor(code: CliErrorCode, what: string, detail: ErrorDetail = {}) {
    super(code, what, detail)
  }
}

/** The error for a wrong command line. */
export function usageError(what: string, hint?: string): CliError {
  return new CliError('CLI_USAGE', what, { hint })
}

/** The error for a signal that asked the command to stop. */
export function interrupted(): CliError {
  return new CliError('CLI_INTERRUPTED', 'interrupted', { hint: 'nothing half-done was left behind; run it again' })
}

/** @throws CliError CLI_INTERRUPTED when a signal has come. */
export function throwIfInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw interrupted()
}

/** Whether an error says that nobody reads the output any more. */
export function isOutputClosed(error: unknown): boolean {
  return isXrError(error) && error.code === 'CLI_OUTPUT_CLOSED'
}
