import { isXrError } from '@xen-replication/errors'
import { FormatError } from '@xen-replication/format'
import { exitCodes, type ExitCode } from './exit-codes.ts'

/** The lines for stderr: `xr: CODE: what (at byte N, record M)`, then the hint when there is one. */
export function renderError(error: unknown): string {
  if (!isXrError(error)) return `xr: ${error instanceof Error ? error.message : String(error)}\n`
  const hint = error.hint === undefined ? '' : `hint: ${error.hint}\n`
  return `xr: ${error.code}: ${error.message}\n${hint}`
}

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof FormatError ? exitCodes.imageInvalid : exitCodes.failed
}
