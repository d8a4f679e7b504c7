import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { colo, countsOn, pair } from './pair-rig.ts'
import { bench, freePort, startGuest, until } from './real-qemu.ts'
import { checkpoints, xr } from './xr.ts'

const CHECKPOINTS = 100

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

  it('goes on at the primary when the secondary is killed, after a hundred checkpoints over TCP', async () => {
    const port = await freePort()
    const url = { link: `tcp://127.0.0.1:${port}`, incoming: `tcp:127.0.0.1:${port}` }
    const { primary, secondary, watcher } = await pair(bench(), { least: CHECKPOINTS, ...url })
    expect(checkpoints(watcher), watcher.said()).toBeGreaterThanOrEqual(CHECKPOINTS)
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

  it('goes on at the secondary when the primary stands still', async () => {
    const { primary, secondary, watcher } = await pair(bench())
    primary.process.kill('SIGSTOP')
    expect(await watcher.end, watcher.said()).toBe(0)
    expect(watcher.said()).toContain('the primary is lost')
    await countsOn(secondary, 0)
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

const GUEST = ['--guest', 'd4c1cbbb-bbcb-4aa9-a8ab-2a1a5cf6d3dc']

describe('an arbiter of a pair whose primary is killed', () => {
  it('that grants it has the secondary go on', async () => {
    const rig = bench()
    const { primary, secondary, watcher } = await pair(rig, { options: [...GUEST, '--arbiter', `exec:test "$XR_SIDE" = secondary && : > ${join(rig.folder, 'asked')}`] })
    await primary.kill()
    expect(await watcher.end, watcher.said()).toBe(0)
    expect(watcher.said()).toContain('the secondary goes on alone')
    await countsOn(secondary, 0)
  })

  it.each([
    ['denies it', 'exec:echo somebody else has it; exit 1', /denies the guest to the secondary \(somebody else has it\)/, 'paused'],
    ['cannot be asked', 'exec:echo no quorum; exit 2', /nothing was done: .*no quorum/, 'running'],
    ['is none', 'none', /nothing was done: there is no arbiter/, 'running'],
  ])('that %s leaves the secondary where it is', async (_, arbiter, words, status) => {
    const { primary, secondary, watcher } = await pair(bench(), { options: [...GUEST, '--arbiter', arbiter] })
    await primary.kill()
    expect(await watcher.end, watcher.said()).toBe(6)
    expect(watcher.said()).toMatch(words)
    expect(await colo(secondary)).toBe('secondary')
    expect(await secondary.qmp.execute('query-status')).toMatchObject({ status: expect.stringMatching(status === 'paused' ? /paused|colo/ : /running|colo/) as string })
  })
})
