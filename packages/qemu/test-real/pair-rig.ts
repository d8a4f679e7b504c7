import { join } from 'node:path'
import { expect } from 'vitest'
import { startGuest, until, type Bench, type RealQemu } from './real-qemu.ts'
import { checkpoints, xr, type Xr } from './xr.ts'

/** Two QEMUs that replicate, and who watches them. */
export interface Pair {
  readonly primary: RealQemu
  readonly secondary: RealQemu
  readonly watcher: Xr
}

export interface PairWishes {
  /** Further words for `xr qemu-colo`. */
  readonly options?: readonly string[]
  /** Where the primary finds the secondary, in place of a unix socket `link` in the folder. */
  readonly link?: string
  /** Where the secondary waits. */
  readonly incoming?: string
  /** Further options of QEMU. */
  readonly machines?: Readonly<Record<'primary' | 'secondary', readonly string[]>>
  /** How many checkpoints are waited for. */
  readonly least?: number
}

/** Has two QEMUs replicate, with a checkpoint every 50 ms. */
export async function pair(rig: Bench, { options = ['--unsafe-no-arbiter'], link, incoming, machines, least = 3 }: PairWishes = {}): Promise<Pair> {
  const at = (name: string): string => `unix:${join(rig.folder, name)}`
  const primary = await startGuest(rig, 'primary', machines?.primary)
  const secondary = await startGuest(rig, 'secondary', [...(machines?.secondary ?? []), '-incoming', incoming ?? at('link')])
  await until('the guest counts', () => primary.counts().length > 3)
  const watcher = xr(['qemu-colo', '-v', '--primary', at('primary.watch'), '--secondary', at('secondary.watch'), '--link', link ?? at('link'), '-i', '50ms', '--failure-timeout', '3s', ...options])
  await until(`${least} checkpoints come: ${watcher.said()}`, () => checkpoints(watcher) >= least || watcher.process.exitCode !== null)
  return { primary, secondary, watcher }
}

/** The guest counts on, and what it counts fits to what it had counted before. */
export async function countsOn(guest: RealQemu, before: number): Promise<void> {
  const lines = guest.counts().length
  await until('the guest counts on', () => guest.counts().length > lines + 3)
  const after = guest.counts().slice(lines)
  expect(after).toEqual(after.map((_, i) => (after[0] ?? 0) + i))
  expect(after[0]).toBeGreaterThan(before - BEHIND)
}

/** How much the last count that was seen may be ahead of the one that a guest goes on from: that of two seconds. */
const BEHIND = 100

/** `primary`, `secondary`, or `none`. */
export const colo = async ({ qmp }: RealQemu): Promise<string> => ((await qmp.execute('query-colo-status')) as { mode: string }).mode
