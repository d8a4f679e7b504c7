import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of a test's own. */
export interface TempDir {
  readonly root: string
  readonly path: (name: string) => string
  readonly remove: () => void
}

export function tempDir(): TempDir {
  const root = mkdtempSync(join(tmpdir(), 'xr-arbiter-'))
  return { root, path: (name) => join(root, name), remove: () => rmSync(root, { recursive: true, force: true }) }
}
