import { isXrError } from '@xen-replication/errors'
import { CliError, type CliErrorCode } from '../cli-error.ts'

const told: Readonly<Record<string, readonly [code: CliErrorCode, what: string, hint: string]>> = {
  ENOENT: ['CLI_FILE_NOT_FOUND', 'there is no such file', 'look at the name and the current folder; `-` stands for standard input'],
  ENOTDIR: ['CLI_FILE_NOT_FOUND', 'a part of the path is not a folder', 'look at the path'],
  EACCES: ['CLI_FILE_DENIED', 'permission denied', 'saved images usually belong to root; run it as the owner or copy the file'],
  EPERM: ['CLI_FILE_DENIED', 'not permitted', 'run it as the owner of the file'],
  EROFS: ['CLI_FILE_DENIED', 'the file system is read-only', 'write to another place'],
  EISDIR: ['CLI_NOT_A_FILE', 'this is a folder', 'give the image file itself'],
  EEXIST: ['CLI_FILE_EXISTS', 'the file exists already', 'choose another name or remove it first'],
  ENOSPC: ['CLI_IO', 'no space is left', 'free some space or set TMPDIR to a place with more'],
}

/** A failed file operation as an error with a code and a hint; other errors stay what they are. */
export function fileError(error: unknown, path: string): unknown {
  if (isXrError(error) || !(error instanceof Error) || !('code' in error)) return error
  const known = told[String(error.code)]
  if (known === undefined) return new CliError('CLI_IO', `${path}: ${error.message}`, { cause: error })
  const [code, what, hint] = known
  return new CliError(code, `${path}: ${what}`, { hint, cause: error })
}
