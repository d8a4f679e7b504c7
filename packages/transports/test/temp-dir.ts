import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of a test's own. */
export interface TempDir {
  readonly path: (name: string) => string
  remove(): void
}

export function tempDir(): TempDir {
  const root = mkdtempSync(join(tmpdir(), 'xr-link-'))
  return { path: (name) => join(root, name), remove: () => rmSync(root, { recursive: true, force: true }) }
}

export const never = (): AbortSignal => new AbortController().signal
