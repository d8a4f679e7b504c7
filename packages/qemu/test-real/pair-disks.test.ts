import { join } from 'node:path'
import { closeSync, ftruncateSync, openSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import type { Qmp } from '@xen-replication/qmp'
import { describe, expect, it } from 'vitest'
import { colo, countsOn, pair, type PairWishes } from './pair-rig.ts'
import { bench, freePort, startGuest, until, type Bench, type RealQemu } from './real-qemu.ts'
import { checkpoints, xr } from './xr.ts'

const DISK_BYTES = 16 * 2 ** 20
const QUORUM = 'driver=quorum,read-pattern=fifo,vote-threshold=1'

/** Disks of a pair: of the primary, of the secondary, and the two layers over that one. @returns options of both QEMUs */
async function disks(rig: Bench): Promise<NonNullable<PairWishes['machines']>> {
  const at = (name: string): string => join(rig.folder, name)
  for (const name of ['primary.raw', 'secondary.raw']) {
    const file = openSync(at(name), 'w')
    ftruncateSync(file, DISK_BYTES)
    closeSync(file)
  }
  const maker = await startGuest(rig, 'maker', ['-S'])
  for (const name of ['active.qcow2', 'hidden.qcow2']) await makeLayer(maker.qmp, at(name))
  await maker.kill()
  const layer = (name: string): string => `driver=qcow2,file.driver=file,file.filename=${at(name)}`
  const under = (prefix: string, options: string): string => options.split(',').map((option) => `${prefix}.${option}`).join(',')
  return {
    primary: ['-drive', `if=ide,id=colo-disk0,${QUORUM},children.0.driver=raw,children.0.file.driver=file,children.0.file.filename=${at('primary.raw')}`],
    secondary: [
      '-drive', `if=none,id=parent0,driver=raw,file.driver=file,file.filename=${at('secondary.raw')}`,
      '-drive', `if=none,id=childs0,driver=replication,mode=secondary,top-id=colo-disk0,${under('file', layer('active.qcow2'))},${under('file.backing', layer('hidden.qcow2'))},file.backing.backing=parent0`,
      '-drive', `if=ide,id=colo-disk0,${QUORUM},children.0=childs0`,
    ],
  }
}

/** An empty layer, in the format that a replicated disk needs. */
async function makeLayer(qmp: Qmp, filename: string): Promise<void> {
  const job = async (options: object): Promise<void> => {
    await qmp.execute('blockdev-create', { 'job-id': 'make', options })
    await until('the layer is made', async () => ((await qmp.execute('query-jobs')) as readonly { status: string }[])[0]?.status === 'concluded')
    await qmp.execute('job-dismiss', { id: 'make' })
  }
  await job({ driver: 'file', filename, size: 0 })
  await qmp.execute('blockdev-add', { driver: 'file', 'node-name': 'made', filename })
  await job({ driver: 'qcow2', file: 'made', size: DISK_BYTES })
  await qmp.execute('blockdev-del', { 'node-name': 'made' })
}

/** Has QEMU do something to the disk as its guest would. @returns what it printed for it */
async function io(qemu: RealQemu, command: string): Promise<string> {
  const printed = (): string => qemu.printed()
  const before = printed().length
  await qemu.qmp.execute('human-monitor-command', { 'command-line': `qemu-io colo-disk0 "${command}"` })
  await until(`it is told how it went: ${command}`, () => / at offset .*\n.*ops/s.test(printed().slice(before)))
  return printed().slice(before)
}

/** Writes 64 KiB of one byte. */
const write = async (qemu: RealQemu, offset: number, byte: number): Promise<void> => expect(await io(qemu, `write -P ${byte} ${offset} 64k`)).toContain('wrote 65536/65536 bytes')

/** Of 64 KiB: the byte that all are. */
async function byteAt(qemu: RealQemu, offset: number): Promise<number | undefined> {
  for (const byte of [0, 0x11, 0x22, 0x33]) if (!(await io(qemu, `read -P ${byte} ${offset} 64k`)).includes('verification failed')) return byte
  return undefined
}

describe('a pair whose disks are replicated', () => {
  it('has at the secondary what was written at the primary before the last checkpoint, and goes on with it', async () => {
    const rig = bench()
    const [machines, port] = [await disks(rig), await freePort()]
    const { primary, secondary, watcher } = await pair(rig, { machines, options: ['--unsafe-no-arbiter', '--disk', 'colo-disk0=parent0', '--nbd', `tcp://127.0.0.1:${port}`] })
    expect(await byteAt(secondary, 0)).toBe(0)
    await write(primary, 0, 0x11)
    await write(secondary, 131_072, 0x33) // what only one of them writes is gone at the next checkpoint
    const before = checkpoints(watcher)
    await until(`checkpoints come: ${watcher.said()}`, () => checkpoints(watcher) > before + 2)
    expect([await byteAt(secondary, 0), await byteAt(secondary, 131_072)]).toEqual([0x11, 0])
    await primary.kill()
    expect(await watcher.end, watcher.said()).toBe(0)
    expect(await colo(secondary)).toBe('none')
    await write(secondary, 65_536, 0x22)
    expect([await byteAt(secondary, 0), await byteAt(secondary, 65_536)]).toEqual([0x11, 0x22])
    await countsOn(secondary, 0)
  })

  it('goes on at the primary with its own disk when the secondary is killed, and has nothing left of the pair', async () => {
    const rig = bench()
    const machines = await disks(rig)
    const nbd = `unix:${join(rig.folder, 'nbd')}`
    const { primary, secondary, watcher } = await pair(rig, { machines, options: ['--unsafe-no-arbiter', '--disk', 'colo-disk0=parent0', '--nbd', nbd] })
    await write(primary, 0, 0x11)
    await secondary.kill()
    expect(await watcher.end, watcher.said()).toBe(0)
    await write(primary, 65_536, 0x22)
    expect([await byteAt(primary, 0), await byteAt(primary, 65_536)]).toEqual([0x11, 0x22])
    expect(JSON.stringify(await primary.qmp.execute('query-named-block-nodes'))).not.toContain('xr-replication')
    await countsOn(primary, 0)
  })

  it('that cannot reach the disks of the secondary does not come about, and leaves nothing at either', async () => {
    const rig = bench()
    const machines = await disks(rig)
    const at = (name: string): string => `unix:${join(rig.folder, name)}`
    const primary = await startGuest(rig, 'primary', machines.primary)
    const secondary = await startGuest(rig, 'secondary', [...machines.secondary, '-incoming', at('link')])
    await until('the guest counts', () => primary.counts().length > 3)
    const words = ['--primary', at('primary.watch'), '--secondary', at('secondary.watch'), '--link', at('link'), '--disk', 'colo-disk0=nothing', '--nbd', at('nbd')]
    const watcher = xr(['qemu-colo', ...words])
    expect(await watcher.end, watcher.said()).toBe(1)
    expect(watcher.said()).toContain('QMP_REFUSED: nbd-server-add')
    await setTimeout(200)
    await secondary.qmp.execute('nbd-server-start', { addr: { type: 'unix', data: { path: join(rig.folder, 'nbd2') } } }) // refused while there is one
    await countsOn(primary, 0)
  })
})
