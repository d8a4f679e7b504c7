import { run, type ExitCode } from '@xen-replication/cli'
import { gunzipSync } from 'node:zlib'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** How a command line ended. */
export interface Ran {
  readonly exit: ExitCode
  readonly stdout: string
  readonly stderr: string
}

interface Ways {
  readonly signal?: AbortSignal
  /** The reader of stdout goes away after so many characters. */
  readonly readerLeavesAfter?: number
  readonly env?: Readonly<Record<string, string>>
}

/** Runs a command line in this process. */
export async function xr(args: readonly string[], { signal = new AbortController().signal, readerLeavesAfter = Infinity, env = {} }: Ways = {}): Promise<Ran> {
  const stdout = collector(readerLeavesAfter)
  const stderr = collector(Infinity)
  const exit = await run(args, { stdout, stderr, signal, env, cwd: process.cwd(), now: () => performance.now() })
  return { exit, stdout: stdout.text(), stderr: stderr.text() }
}

/** The document that `--json` writes; fails when there is anything else on stdout. */
export async function xrJson(...args: readonly string[]): Promise<{ readonly exit: ExitCode; readonly document: unknown }> {
  const { exit, stdout } = await xr([...args, '--json'])
  return { exit, document: JSON.parse(stdout) }
}

function collector(room: number) {
  let text = ''
  return {
    write: (chunk: string | Uint8Array, done: (error?: Error) => void) => {
      const gone = text.length >= room
      if (!gone) text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('latin1')
      queueMicrotask(() => done(gone ? Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }) : undefined))
      return true
    },
    on: () => undefined,
    text: () => text,
  }
}

/** A folder that is removed when the test is over. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'xr-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

const vectors = new URL('../../format/vectors/', import.meta.url)

/** The bytes of a stream of the format package's collection. */
export const vector = (name: string): Buffer => gunzipSync(readFileSync(new URL(`${name}.bin.gz`, vectors)))

/** A file with these bytes, or with a stream of the collection. */
export function fileOf(bytes: Uint8Array | string, folder = scratch()): string {
  const path = join(folder, 'guest.save')
  writeFileSync(path, typeof bytes === 'string' ? vector(bytes) : bytes)
  return path
}
