import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the library that a QEMU 7.2 with TCG needs in front of it; see `keep-lock.c`. */
    keepLock: string
  }
}

/** Compiles it once for all tests. @returns how it is taken away */
export default function compileKeepLock(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'xr-keep-lock-'))
  const keepLock = join(folder, 'keep-lock.so')
  const built = spawnSync('cc', ['-shared', '-fPIC', '-O2', '-o', keepLock, join(import.meta.dirname, 'keep-lock.c'), '-ldl'])
  if (built.status !== 0) throw new Error(`keep-lock.c could not be compiled: ${built.error?.message ?? String(built.stderr)}`)
  project.provide('keepLock', keepLock)
  return () => rmSync(folder, { recursive: true, force: true })
}
