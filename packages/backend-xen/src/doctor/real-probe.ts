import type { DomainSummary } from '@xen-replication/hypervisor'
import { execFile } from 'node:child_process'
import { readdir, readFile, stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { listDomains } from '../host/domain-list.ts'
import { readConfig } from '../host/user-data.ts'
import { loadKoffi, openLibrary } from '../native/libraries.ts'
import { openPlatform } from '../native/open-platform.ts'
import type { Platform } from '../platform/platform.ts'
import type { HostProbe } from './check.ts'

/** Longest that a command may take, in milliseconds. */
const COMMAND_MS = 10_000

/** This host, and what closes what was opened of it. */
export interface RealProbe extends HostProbe {
  close(): Promise<void>
}

export function realProbe(): RealProbe {
  let platform: Promise<Platform> | undefined
  let domains: Promise<readonly DomainSummary[]> | undefined
  const open = (): Promise<Platform> => (platform ??= new Promise((resolve) => resolve(openPlatform())))
  return {
    uid: process.getuid?.() ?? -1,
    read: (path) => readFile(path, 'utf8').catch(() => undefined),
    list: (path) => readdir(path).catch(() => []),
    kind: kindAt,
    run: (command, args) => promisify(execFile)(command, args, { timeout: COMMAND_MS }).then(({ stdout }) => stdout, () => undefined),
    lacks: (what) => {
      try {
        const koffi = loadKoffi()
        if (what !== 'koffi') openLibrary(koffi, what)
        return Promise.resolve(undefined)
      } catch (error) {
        return Promise.resolve(error instanceof Error ? error.message : String(error))
      }
    },
    platform: open,
    domains: () => (domains ??= open().then(listDomains)),
    config: ({ domId, uuid }) => readConfig(domId, uuid).catch(() => undefined),
    close: async () => platform?.then((one) => one.close(), () => undefined),
  }
}

async function kindAt(path: string): ReturnType<HostProbe['kind']> {
  const there = await stat(path).catch(() => undefined)
  if (there === undefined) return 'nothing'
  if (there.isFile()) return 'file'
  if (there.isCharacterDevice() || there.isBlockDevice()) return 'device'
  return there.isDirectory() ? 'folder' : 'other'
}
