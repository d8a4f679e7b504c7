import type { XlConfig } from '@xen-replication/format'
import { readFileSync, statSync } from 'node:fs'
import { CliError } from '../cli-error.ts'
import { fileError } from '../input/file-error.ts'

/** Largest file taken as a configuration or as a device model’s state, in bytes. */
const SMALL_MAX = 256 * 1024 * 1024

/**
 * A file that is held as a whole.
 *
 * @throws CliError CLI_FILE_NOT_FOUND | CLI_FILE_DENIED | CLI_NOT_A_FILE | CLI_IO
 */
export function readSmallFile(path: string): Uint8Array {
  try {
    const { size } = statSync(path)
    if (size > SMALL_MAX) throw new CliError('CLI_NOT_A_FILE', `${path}: ${size} bytes are too many`, { hint: 'is this the right file?' })
    return new Uint8Array(readFileSync(path))
  } catch (error) {
    throw fileError(error, path)
  }
}

/** A configuration from a file: libxl’s JSON when it begins like that, an xl.cfg otherwise. */
export function configFile(path: string): XlConfig {
  const bytes = readSmallFile(path)
  const first = bytes.find((byte) => byte > 0x20)
  return { kind: first === '{'.charCodeAt(0) ? 'json' : 'text', bytes }
}
