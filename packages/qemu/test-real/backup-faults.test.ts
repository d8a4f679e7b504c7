import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openBackup } from '../src/store/open-backup.ts'
import { bench, replicate, startGuest, until } from './real-qemu.ts'
import { tamperedLink, type Fault } from './tampered-link.ts'
import { checkpoints, xr } from './xr.ts'

describe('a backup of a real primary', () => {
  it.each<[Fault, number, RegExp]>([
    ['wrong message', 1, /QEMU_OUT_OF_STEP: the primary said vmstate-loaded/],
    ['unknown message', 1, /FMT_COLO_MESSAGE: there is no COLO message 9/],
    ['short devices', 1, /QEMU_OUT_OF_STEP: the state of the devices does not end where it was said to/],
    ['silence in memory', 0, /the primary is gone \(the primary said nothing for 4000 ms\); checkpoint 1 is kept/],
    ['cut in memory', 0, /the primary is gone.*; checkpoint 1 is kept/],
    ['cut in devices', 0, /the primary is gone.*; checkpoint 1 is kept/],
    ['cut between two checkpoints', 0, /the primary is gone.*; checkpoint 1 is kept/],
  ])('with %s ends clearly and in time, and the checkpoint before is kept', async (fault, exit, words) => {
    const rig = bench()
    const [near, far, store] = [join(rig.folder, 'near'), join(rig.folder, 'far'), join(rig.folder, 'store')]
    const primary = await startGuest(rig, 'primary')
    await until('the guest counts', () => primary.counts().length > 3)
    const backup = xr(['qemu-backup', '-v', '--listen', `unix:${far}`, '--store', store, '--answer-timeout', '4s'])
    await until('xr listens', () => existsSync(far))
    const tampered = await tamperedLink(near, far, fault)
    await replicate(primary, `unix:${near}`, 200)
    expect((await backup.end) === 0, backup.said()).toBe(exit === 0)
    expect(tampered()).toBe(true)
    expect(backup.said()).toMatch(words)
    expect(checkpoints(backup)).toBe(1)
    const kept = await openBackup(store)
    expect(kept.epoch).toBe(1)
    kept.close()
    await primary.qmp.execute('x-colo-lost-heartbeat')
    const before = primary.counts().length
    await until('the primary goes on alone', () => primary.counts().length > before + 3)
  })

  it('is told of a primary that stands still between two checkpoints, when a limit is set', async () => {
    const rig = bench()
    const far = join(rig.folder, 'far')
    const primary = await startGuest(rig, 'primary')
    await until('the guest counts', () => primary.counts().length > 3)
    const backup = xr(['qemu-backup', '-v', '--listen', `unix:${far}`, '--store', join(rig.folder, 'store'), '--answer-timeout', '4s', '--idle-timeout', '3s'])
    await until('xr listens', () => existsSync(far))
    await replicate(primary, `unix:${far}`, 100)
    await until('checkpoints come', () => checkpoints(backup) > 3)
    primary.process.kill('SIGSTOP')
    expect(await backup.end, backup.said()).toBe(0)
    expect(backup.said()).toMatch(/the primary said nothing for [34]000 ms/)
  })
})
