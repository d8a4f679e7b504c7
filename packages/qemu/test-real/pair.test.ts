import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { bench, startGuest, until, type Bench, type RealQemu } from './real-qemu.ts'
import { tamperedLink, type Fault } from './tampered-link.ts'
import { checkpoints, xr, type Xr } from './xr.ts'

interface Pair {
  readonly primary: RealQemu
  readonly secondary: RealQemu
  readonly watcher: Xr
}

const CHECKPOINTS = 100

async function pair(rig: Bench, { options = ['--unsafe-no-arbiter'], fault, least = 3 }: { readonly options?: readonly string[]; readonly fault?: Fault; readonly least?: number } = {}): Promise<Pair> {
  const at = (name: string): string => join(rig.folder, name)
  const primary = await startGuest(rig, 'primary')
  const secondary = await startGuest(rig, 'secondary', ['-incoming', `unix:${at('link')}`])
  await until('the guest counts', () => primary.counts().length > 3)
  if (fault !== undefined) await tamperedLink(at('near'), at('link'), fault)
  const watcher = xr(['qemu-colo', '-v', '--primary', `unix:${at('primary.watch')}`, '--secondary', `unix:${at('secondary.watch')}`, '--link', `unix:${at(fault === undefined ? 'link' : 'near')}`, '-i', '50ms', ...options])
  if (fault === undefined) await until(`${least} checkpoints come: ${watcher.said()}`, () => checkpoints(watcher) >= least || watcher.process.exitCode !== null)
  return { primary, secondary, watcher }
}

/** The guest counts on, and what it counts fits to what it had counted before. */
async function countsOn(guest: RealQemu, before: number): Promise<void> {
  const lines = guest.counts().length
  await until('the guest counts on', () => guest.counts().length > lines + 3)
  const after = guest.counts().slice(lines)
  expect(after).toEqual(after.map((_, i) => (after[0] ?? 0) + i))
  expect(after[0]).toBeGreaterThan(before - 40)
}

const colo = async ({ qmp }: RealQemu): Promise<string> => ((await qmp.execute('query-colo-status')) as { mode: string }).mode

describe('a pair of real QEMUs', () => {
  it('goes on at the secondary when the primary is killed, after a hundred checkpoints', async () => {
    const { primary, secondary, watcher } = await pair(bench(), { least: CHECKPOINTS })
    expect(checkpoints(watcher), watcher.said()).toBeGreaterThanOrEqual(CHECKPOINTS)
    const before = primary.counts().at(-1) ?? 0
    await primary.kill()
    expect(await watcher.end, watcher.said()).toBe(0)
    expect(watcher.said()).toContain('the secondary goes on alone')
    expect(await colo(secondary)).toBe('none')
    await countsOn(secondary, before)
  })

  it('goes on at the primary when the secondary is killed, after a hundred checkpoints', async () => {
    const { primary, secondary, watcher } = await pair(bench(), { least: CHECKPOINTS })
    const before = primary.counts().at(-1) ?? 0
    await secondary.kill()
    expect(await watcher.end, watcher.said()).toBe(0)
    expect(watcher.said()).toContain('the primary goes on alone')
    expect(await colo(primary)).toBe('none')
    await countsOn(primary, before)
  })

  it('goes on at the primary when the secondary stands still', async () => {
    const { primary, secondary, watcher } = await pair(bench())
    secondary.process.kill('SIGSTOP')
    expect(await watcher.end, watcher.said()).toBe(0)
    expect(watcher.said()).toContain('the secondary is lost')
    await countsOn(primary, 0)
  })

  it('does not go on at the secondary when nobody can say that the primary is dead', async () => {
    const { primary, secondary, watcher } = await pair(bench(), { options: [] })
    await primary.kill()
    expect(await watcher.end, watcher.said()).toBe(6)
    expect(watcher.said()).toContain('nothing was done: there is no arbiter')
    expect(await colo(secondary)).toBe('secondary')
  })

  const APART = 'both QEMUs answer, and do not replicate any more'
  it.each<[Fault, string]>([
    ['cut between two checkpoints', APART],
    ['cut in memory', APART],
    ['silence in memory', 'the secondary is lost'], // it reads in its main loop, and so answers nobody
    ['wrong message', APART],
    ['short devices', APART],
  ])('with %s goes on at the primary, and the secondary is ended', async (fault, words) => {
    const { primary, secondary, watcher } = await pair(bench(), { fault, options: ['--stall-timeout', '3s'] })
    expect(await watcher.end, watcher.said()).toBe(0)
    expect(watcher.said()).toContain(words)
    await until('the secondary is gone', () => secondary.process.exitCode !== null)
    expect(await colo(primary)).toBe('none')
    await countsOn(primary, 0)
  })

  it('that does not come about leaves the primary as it was', async () => {
    const rig = bench()
    const primary = await startGuest(rig, 'primary')
    await startGuest({ ...rig, machine: rig.machine.map((word) => (word === '4104k' ? '5128k' : word)) }, 'secondary', ['-incoming', `unix:${join(rig.folder, 'link')}`])
    await until('the guest counts', () => primary.counts().length > 3)
    const watcher = xr(['qemu-colo', '--primary', `unix:${join(rig.folder, 'primary.watch')}`, '--secondary', `unix:${join(rig.folder, 'secondary.watch')}`, '--link', `unix:${join(rig.folder, 'link')}`])
    expect(await watcher.end, watcher.said()).toBe(1)
    expect(watcher.said()).toMatch(/QEMU_PAIR|QMP_LOST/)
    await setTimeout(200)
    expect(await colo(primary)).toBe('none')
    await countsOn(primary, 0)
  })
})
