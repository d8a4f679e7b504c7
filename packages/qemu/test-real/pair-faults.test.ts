import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { colo, countsOn, pair } from './pair-rig.ts'
import { bench, until } from './real-qemu.ts'
import { tamperedLink, type Fault } from './tampered-link.ts'

const APART = 'both QEMUs answer, and do not replicate any more'

describe('a pair of real QEMUs', () => {
  it.each<[Fault, string]>([
    ['cut between two checkpoints', APART],
    ['cut in memory', APART],
    ['cut in devices', APART],
    ['silence in memory', 'the secondary is lost'], // it reads in its main loop, and so answers nobody
    ['wrong message', APART],
    ['unknown message', APART],
    ['short devices', APART],
    ['wrong answer', APART],
  ])('with %s goes on at the primary, and the secondary is ended', async (fault, words) => {
    const rig = bench()
    const near = join(rig.folder, 'near')
    let runs = false
    const tampered = await tamperedLink(near, join(rig.folder, 'link'), fault, () => runs)
    const { primary, secondary, watcher } = await pair(rig, { link: `unix:${near}`, options: ['--unsafe-no-arbiter', '--stall-timeout', '5s'], least: 1 })
    runs = true
    expect(await watcher.end, watcher.said()).toBe(0)
    expect(tampered()).toBe(true)
    expect(watcher.said()).toContain(words)
    await until('the secondary is gone', () => secondary.process.exitCode !== null)
    expect(await colo(primary)).toBe('none')
    await countsOn(primary, 0)
  })
})
