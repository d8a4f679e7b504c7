import { isXrError, XrError, type ErrorDetail } from '@xen-replication/errors'

/** What each code of this package means; `docs/errors.md` is made from it. */
export const cliCodes = {
  CLI_USAGE: 'The command line makes no sense.',
  CLI_FILE_NOT_FOUND: 'A file named on the command line is not there.',
  CLI_FILE_DENIED: 'A file named on the command line may not be read or written.',
  CLI_FILE_EXISTS: 'A file that was to be written is there already.',
  CLI_NOT_A_FILE: 'A name given is a folder, or something else that cannot be used as the file wanted.',
  CLI_NOT_AN_IMAGE: 'The file can be read, but what is in it is no Xen image.',
  CLI_NOT_IN_IMAGE: 'The image does not hold the part asked for.',
  CLI_IO: 'Reading or writing failed on the way.',
  CLI_DEMO: 'The demonstration did not come to its end.',
  CLI_INTERRUPTED: 'A signal asked the command to stop.',
  CLI_OUTPUT_CLOSED: 'Nobody reads standard output any more; nothing is shown, and the exit status is 0.',
} as const

export type CliErrorCode = keyof typeof cliCodes

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
