import { readFileSync } from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { Environment } from './resolve-settings.ts'

/** Tells whether this is a Xen control domain. Source: xenfs, Documentation of the Linux kernel. */
const CAPABILITIES = '/proc/xen/capabilities'

/** `xen` where guests of Xen can be reached, else the simulated host. */
export function defaultBackend(): string {
  try {
    return readFileSync(CAPABILITIES, 'utf8').includes('control_d') ? 'xen' : 'mock'
  } catch {
    return 'mock'
  }
}

export const defaultMockHost = (env: Environment): string => join(stateHome(env), 'xr', 'mock')

/** Short, because paths of sockets are; the user's own, because who can write there can call operations off. */
export function defaultRunDir(env: Environment): string {
  const run = absolute(env['XDG_RUNTIME_DIR'])
  return run === undefined ? join(tmpdir(), `xr-${userInfo().uid}`) : join(run, 'xr')
}

const stateHome = (env: Environment): string => absolute(env['XDG_STATE_HOME']) ?? join(absolute(env['HOME']) ?? homedir(), '.local', 'state')

/** Others are to be ignored. Source: XDG Base Directory Specification. */
const absolute = (path: string | undefined): string | undefined => (path !== undefined && isAbsolute(path) ? path : undefined)
