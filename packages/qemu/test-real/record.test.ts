import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bench, replicate, startGuest, until } from './real-qemu.ts'
import { goesOn } from './replay-rig.ts'
import { xr } from './xr.ts'

describe('two real QEMUs with a recorder between them', () => {
  it('replicate as without it, and what they said can be shown and played again', async () => {
    const rig = bench()
    const [near, far, capture] = [join(rig.folder, 'near'), join(rig.folder, 'far'), join(rig.folder, 'pair')]
    const primary = await startGuest(rig, 'primary')
    const secondary = await startGuest(rig, 'recorded-secondary', ['-incoming', `unix:${far}`])
    await until('the guest counts', () => primary.counts().length > 3)
    const record = xr(['qemu-record', '--listen', `unix:${near}`, '--to', `unix:${far}`, '--capture', capture])
    await until('xr listens', () => existsSync(near))
    await replicate(primary, `unix:${near}`, 50)
    await until('answers come', () => existsSync(`${capture}.s2p`) && statSync(`${capture}.s2p`).size > 4 + 12 * 20)
    await primary.kill()
    expect(await record.end, record.said()).toBe(0)
    await goesOn(secondary)
    await secondary.kill()
    const show = async (file: string): Promise<Readonly<Record<string, unknown>>> => {
      const shown = xr(['show', '--json', file])
      expect(await shown.end).toBe(0)
      return JSON.parse(shown.out()) as Record<string, unknown>
    }
    const [said, answered] = [await show(`${capture}.p2s`), await show(`${capture}.s2p`)]
    expect([said['side'], answered['side']]).toEqual(['primary', 'secondary'])
    const done = (answered['checkpoints'] as { complete: number }).complete
    expect(done).toBeGreaterThanOrEqual(20)
    expect([done, done + 1]).toContain((said['checkpoints'] as { complete: number }).complete)
    const again = await startGuest(rig, 'again', ['-incoming', `unix:${join(rig.folder, 'again')}`])
    await again.qmp.execute('migrate-set-capabilities', { capabilities: [{ capability: 'x-colo', state: true }] })
    const replay = xr(['qemu-replay', `${capture}.p2s`, `unix:${join(rig.folder, 'again')}`, '-i', '10ms'])
    expect(await replay.end, replay.said()).toBe(0)
    await goesOn(again)
  })
})
