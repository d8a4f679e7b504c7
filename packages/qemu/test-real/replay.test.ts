import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { bench, replicate, startGuest, until, type Bench, type RealQemu } from './real-qemu.ts'
import { tamperedLink, type Fault } from './tampered-link.ts'
import { checkpoints, xr } from './xr.ts'

const recorded = new URL('../../format/vectors/qemu/rom-killed-primary.p2s.gz', import.meta.url)

/** A QEMU that waits for a primary at `link` in the folder, and what a real one said to be sent to it. */
async function waiting(rig: Bench): Promise<{ readonly secondary: RealQemu; readonly capture: string; readonly link: string }> {
  const [capture, link] = [join(rig.folder, 'guest.p2s'), join(rig.folder, 'link')]
  writeFileSync(capture, gunzipSync(readFileSync(recorded)))
  const secondary = await startGuest(rig, 'secondary', ['-incoming', `unix:${link}`])
  await secondary.qmp.execute('migrate-set-capabilities', { capabilities: [{ capability: 'x-colo', state: true }] })
  return { secondary, capture, link }
}

/** Has a secondary go on alone: its guest counts on. */
async function goesOn(guest: RealQemu): Promise<void> {
  const { qmp } = guest
  await qmp.execute('x-colo-lost-heartbeat')
  await until('it has failed over', async () => ((await qmp.execute('query-colo-status')) as { mode: string }).mode === 'none')
  const before = guest.counts().length
  await until(`the guest counts on: ${guest.said()}`, () => guest.counts().length > before + 3)
  const after = guest.counts().slice(before)
  expect(after).toEqual(after.map((_, i) => (after[0] ?? 0) + i))
}

describe('a recorded primary, played to a real secondary', () => {
  it('is followed for thirty checkpoints, and the guest goes on from the last one', async () => {
    const { secondary, capture, link } = await waiting(bench())
    const replay = xr(['qemu-replay', '-v', capture, `unix:${link}`, '--checkpoints', '30', '-i', '20ms'])
    expect(await replay.end, replay.said()).toBe(0)
    expect(checkpoints(replay)).toBe(30)
    await goesOn(secondary)
  })

  it.each<[Fault, string]>([
    ['short devices', 'LINK_TIMEOUT'],
    ['cut in memory', 'LINK_LOST'],
    ['cut in devices', 'LINK_LOST'],
    ['silence in memory', 'LINK_TIMEOUT'],
    ['wrong message', 'LINK_TIMEOUT'],
    ['unknown message', 'LINK_TIMEOUT'],
    ['wrong answer', 'REPL_UNEXPECTED_EVENT'],
    ['unknown answer', 'FMT_COLO_MESSAGE'],
    ['cut between two checkpoints', 'LINK_LOST'],
  ])('with %s ends with %s in time, and the guest goes on', async (fault, code) => {
    const rig = bench()
    const { secondary, capture, link } = await waiting(rig)
    const tampered = await tamperedLink(join(rig.folder, 'near'), link, fault)
    const replay = xr(['qemu-replay', '-v', capture, `unix:${join(rig.folder, 'near')}`, '--checkpoints', '5', '-i', '20ms', '--answer-timeout', '2s'])
    expect(await replay.end, replay.said()).not.toBe(0)
    expect(tampered()).toBe(true)
    expect(replay.said()).toContain(`xr: ${code}: `)
    expect(checkpoints(replay)).toBe(1)
    await goesOn(secondary)
  })

  it('is given up when the secondary stands still', async () => {
    const { secondary, capture, link } = await waiting(bench())
    const replay = xr(['qemu-replay', '-v', capture, `unix:${link}`, '--checkpoints', '1000', '-i', '20ms', '--answer-timeout', '2s'])
    await until('checkpoints come', () => checkpoints(replay) > 2)
    secondary.process.kill('SIGSTOP')
    expect(await replay.end).not.toBe(0)
    expect(replay.said()).toContain('LINK_TIMEOUT: the secondary said nothing for 2000 ms')
  })
})

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
      return JSON.parse(shown.said()) as Record<string, unknown>
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
