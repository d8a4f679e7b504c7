import { isXrError } from '@xen-replication/errors'
import { exitCodes, type ExitCode } from './exit-codes.ts'

/** An error as `--json` shows it. */
export interface ErrorDocument {
  readonly code: string
  readonly message: string
  readonly offset: number | undefined
  readonly record: number | undefined
  readonly hint: string | undefined
  readonly exit: ExitCode
}

const INTERNAL_HINT = 'this is a fault of xr itself; run it again with --debug and report what it prints'

/** What is shown of any error; one that is not an XrError is a fault of ours or of the system. */
export function errorDocument(error: unknown): ErrorDocument {
  const exit = exitCodeOf(error)
  if (isXrError(error)) {
    return { code: error.code, message: error.message, offset: error.offset, record: error.record, hint: error.hint, exit }
  }
  const nowhere = { offset: undefined, record: undefined, exit }
  if (!(error instanceof Error)) return { code: 'CLI_INTERNAL', message: String(error), hint: INTERNAL_HINT, ...nowhere }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return { code: code ?? 'CLI_INTERNAL', message: error.message, hint: code === undefined ? INTERNAL_HINT : undefined, ...nowhere }
}

/** The lines for stderr: `xr: CODE: what (at byte N, record M)`, then the hint when there is one, then the stack when asked for. */
export function renderError(error: unknown, { debug = false }: { debug?: boolean } = {}): string {
  const { code, message, hint } = errorDocument(error)
  const stack = debug && error instanceof Error ? `${stackOf(error)}\n` : ''
  return `xr: ${code}: ${message}\n${hint === undefined ? '' : `hint: ${hint}\n`}${stack}`
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by: ${stackOf(error.cause)}` : ''
  return (error.stack ?? error.message) + cause
}

const exitOfCode: Readonly<Record<string, ExitCode>> = {
  CLI_USAGE: exitCodes.usage,
  CLI_NOT_AN_IMAGE: exitCodes.imageInvalid,
  CLI_INTERRUPTED: exitCodes.interrupted,
  CLI_OUTPUT_CLOSED: exitCodes.done,
  TOOL_INTERRUPTED: exitCodes.interrupted,
  TOOL_IMAGE: exitCodes.imageInvalid,
  TOOL_NO_CONFIG: exitCodes.imageInvalid,
  TOOL_UNPROTECTED: exitCodes.peerLost,
  TOOL_DENIED: exitCodes.notAllowedByArbiter,
  REPL_OPTION: exitCodes.usage,
  TOOL_ARBITER: exitCodes.usage,
  TOOL_STALE: exitCodes.notAllowedByArbiter,
  FMT_HANDSHAKE: exitCodes.failed,
  LINK_LOST: exitCodes.peerLost,
  LINK_TIMEOUT: exitCodes.peerLost,
  LINK_REFUSED: exitCodes.peerLost,
  SESSION_UNDECIDED: exitCodes.peerLost,
  SESSION_VERSION: exitCodes.notSupported,
  SESSION_CAPABILITY: exitCodes.notSupported,
  SESSION_COMPRESSION: exitCodes.notSupported,
  BACKEND_UNSUPPORTED: exitCodes.notSupported,
  PLUGIN_API: exitCodes.notSupported,
  PLUGIN_NO_BACKEND: exitCodes.notSupported,
  PLUGIN_NO_TRANSPORT: exitCodes.notSupported,
  PLUGIN_NO_STRATEGY: exitCodes.notSupported,
  PLUGIN_NO_ARBITER: exitCodes.notSupported,
  PLUGIN_UNMET: exitCodes.notSupported,
}

/** Rules of images, and what the readers of images throw. */
const ofImages = /^(?:FMT|XL2?|XC)_/

export function exitCodeOf(error: unknown): ExitCode {
  if (!isXrError(error)) return exitCodes.failed
  return exitOfCode[error.code] ?? (ofImages.test(error.code) ? exitCodes.imageInvalid : exitCodes.failed)
}
