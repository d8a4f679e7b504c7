import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { openBackup } from '../src/store/open-backup.ts'
import { LOW_MEMORY } from './counting-rom.ts'
import { bench, countsIn, QEMU, replicate, startGuest, until, type Bench } from './real-qemu.ts'
import { checkpoints, xr, type Xr } from './xr.ts'

/** Primaries that are killed; with XR_QEMU_LONG as many as were promised. */
const KILLS = process.env['XR_QEMU_LONG'] === '1' ? 20 : 6

/** Longest time for one of them on a machine that has much else to do. */
const ROUND_MS = 180_000

/** Backs a guest up until so many checkpoints are kept. */
async function backedUp({ folder }: Bench, store: string): Promise<Xr> {
  const backup = xr(['qemu-backup', '-v', '--listen', `unix:${join(folder, 'link')}`, '--store', store])
  await until('xr listens', () => existsSync(join(folder, 'link')))
  return backup
}

/** Starts a QEMU from a store, until its guest has counted on. @returns what it counted */
async function restored({ folder, machine }: Bench, store: string, name: string): Promise<readonly number[]> {
  const serial = join(folder, `${name}.serial`)
  const qemu = xr(['qemu-restore', store, '--', QEMU, ...machine, '-serial', `file:${serial}`])
  await until('the guest counts on', () => countsIn(serial).length > 3 || qemu.process.exitCode !== null)
  if (qemu.process.exitCode !== null) throw new Error(`QEMU does not go on: ${qemu.said()}`)
  qemu.process.kill('SIGTERM')
  await qemu.end
  return countsIn(serial)
}

describe('a QEMU guest that is backed up', () => {
  it('has every byte of its memory in the backup, at the last checkpoint', async () => {
    const rig = bench()
    const store = join(rig.folder, 'store')
    const guest = await startGuest(rig, 'primary')
    await until('the guest counts', () => guest.counts().length > 5)
    const backup = await backedUp(rig, store)
    await replicate(guest, `unix:${join(rig.folder, 'link')}`, 60_000)
    await until('the guest is kept', () => backup.said().includes('checkpoints follow'))
    await setTimeout(1000)
    await guest.qmp.execute('migrate-set-parameters', { 'x-checkpoint-delay': 60_000 }) // asks for a checkpoint at once
    await until('one checkpoint', () => checkpoints(backup) === 1)
    backup.process.kill('SIGSTOP') // the next one stays where the guest stands for it
    await guest.qmp.execute('migrate-set-parameters', { 'x-checkpoint-delay': 60_000 })
    await setTimeout(300)
    backup.process.kill('SIGCONT')
    await until('another checkpoint', () => checkpoints(backup) === 2)
    await guest.qmp.execute('stop')
    await guest.kill()
    expect(await backup.end).toBe(0)
    const kept = await openBackup(store)
    const ram = kept.state.blocks.find(({ name }) => name === 'pc.ram')
    const counts = new Set<number>()
    for (let page = 0x20000; page < 0x60000 && ram !== undefined; page += 4096) counts.add(Buffer.from((await kept.state.page(ram, page)) ?? []).readUInt32LE())
    kept.close()
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(4)
  })

  it('goes on from the last checkpoint whenever its host is lost: a hundred checkpoints, many kills', async () => {
    const rig = bench()
    for (let round = 0; round < KILLS; round++) {
      const store = join(rig.folder, `store${round}`)
      const guest = await startGuest(rig, `primary${round}`)
      await until('the guest counts', () => guest.counts().length > 3)
      const backup = await backedUp(rig, store)
      await replicate(guest, `unix:${join(rig.folder, 'link')}`, 50)
      await until(`checkpoints come: ${backup.said()}`, () => checkpoints(backup) >= (round === 0 ? 100 : 3))
      await setTimeout(Math.random() * 200)
      await guest.kill()
      expect(await backup.end).toBe(0)
      const before = guest.counts()
      const after = await restored(rig, store, `restored${round}`)
      const first = after[0] ?? -1
      expect(after).toEqual(Array.from({ length: after.length }, (_, i) => first + i))
      expect(first, `it stood at ${before.at(-1)}`).toBeLessThanOrEqual((before.at(-1) ?? 0) + 1)
      expect(first).toBeGreaterThan((before.at(-1) ?? 0) - 100)
    }
  }, KILLS * ROUND_MS)
})

describe('memory of a paused guest', () => {
  it('is the same in the backup, byte for byte', async () => {
    const rig = bench()
    const store = join(rig.folder, 'store')
    const guest = await startGuest(rig, 'paused', ['-S'])
    await guest.qmp.execute('cont')
    await until('the guest counts', () => guest.counts().length > 5)
    await guest.qmp.execute('stop')
    const backup = await backedUp(rig, store)
    await replicate(guest, `unix:${join(rig.folder, 'link')}`, 60_000)
    await until('the guest is kept', () => backup.said().includes('checkpoints follow'))
    await guest.qmp.execute('stop').catch(() => undefined)
    const dump = join(rig.folder, 'memory')
    await guest.qmp.execute('pmemsave', { val: 0, size: LOW_MEMORY, filename: dump })
    await guest.kill()
    await backup.end
    const kept = await openBackup(store)
    const [ram] = kept.state.blocks
    const found: Uint8Array[] = []
    for (let at = 0; at < LOW_MEMORY && ram !== undefined; at += 4096) found.push((await kept.state.page(ram, at)) ?? new Uint8Array(4096))
    kept.close()
    expect(Buffer.compare(Buffer.concat(found), readFileSync(dump))).toBe(0)
  })
})
