import type { DomainSummary } from '@xen-replication/hypervisor'
import type { LibraryName } from '../native/libraries.ts'
import type { Platform } from '../platform/platform.ts'

/** How a check came out. `skipped`: it makes no sense before another one is mended. */
export type Verdict = 'ok' | 'warning' | 'problem' | 'skipped'

/** What was found of one thing. */
export interface Finding {
  readonly check: string
  readonly verdict: Verdict
  /** What there is, in a sentence without its end. */
  readonly found: string
  /** What to do, where something is to be done. */
  readonly fix: string | undefined
}

/** What checks look at. Nothing of it changes the host. */
export interface HostProbe {
  /** User number of this process. */
  readonly uid: number
  /** @returns undefined for a file that cannot be read. */
  read(path: string): Promise<string | undefined>
  /** Names in a folder; empty for one that cannot be read. */
  list(path: string): Promise<readonly string[]>
  /** What lies there. */
  kind(path: string): Promise<'file' | 'device' | 'folder' | 'other' | 'nothing'>
  /** @returns what a command prints, undefined when it fails or is not there. */
  run(command: string, args: readonly string[]): Promise<string | undefined>
  /** Why a library or koffi cannot be used; undefined when it can. */
  lacks(what: 'koffi' | LibraryName): Promise<string | undefined>
  /** @throws BackendError */
  platform(): Promise<Platform>
  /** @throws BackendError */
  domains(): Promise<readonly DomainSummary[]>
  /** Configuration of a guest as libxl JSON; undefined when there is none. */
  config(domain: DomainSummary): Promise<string | undefined>
}

/** One thing that is looked at. */
export interface Check {
  readonly name: string
  /** Findings without their names; several where there is one for each guest. */
  readonly look: (probe: HostProbe) => Promise<readonly Omit<Finding, 'check'>[]>
}

export const ok = (found: string): Omit<Finding, 'check'> => ({ verdict: 'ok', found, fix: undefined })
export const warning = (found: string, fix: string): Omit<Finding, 'check'> => ({ verdict: 'warning', found, fix })
export const problem = (found: string, fix: string): Omit<Finding, 'check'> => ({ verdict: 'problem', found, fix })
