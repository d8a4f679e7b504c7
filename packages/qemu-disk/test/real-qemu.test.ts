import { primaryDisks, replicaDisks, secondaryDisks } from '@xen-replication/qemu-disk'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { diskFolder, freePort, makeLayer, MIB, qemuThere, startQemu, type Qemu } from './qemu.ts'

const DISK = 'colo0'

/** A guest's disk and its copy, of two QEMUs. */
describe.skipIf(!qemuThere())('with two real QEMUs', { timeout: 120_000 }, () => {
  let primary: Qemu
  let secondary: Qemu
  let devices: { readonly here: ReturnType<typeof primaryDisks>; readonly there: ReturnType<typeof secondaryDisks>; readonly replica: ReturnType<typeof replicaDisks> }
  const otherSide = async (how: 'copies' | 'replica' = 'copies'): Promise<void> => {
    const dir = diskFolder()
    for (const layer of ['active', 'hidden']) await makeLayer(primary, `${dir}/${layer}.qcow2`)
    secondary = await startQemu(dir, [
      `if=none,id=${DISK},driver=raw,file.driver=file,file.filename=DIR/disk.raw`,
      `if=none,id=top,driver=replication,mode=secondary,top-id=top,file.driver=qcow2,file.file.driver=file,file.file.filename=DIR/active.qcow2,file.backing.driver=qcow2,file.backing.file.driver=file,file.backing.file.filename=DIR/hidden.qcow2,file.backing.backing=${DISK}`,
    ])
    const nbd = { host: '127.0.0.1', port: await freePort() }
    const there = { qmp: secondary, disks: [DISK], nbd }
    devices = { here: primaryDisks({ qmp: primary, disks: [DISK], nbd, sleep }), there: secondaryDisks(there), replica: replicaDisks(there) }
    const begun = how === 'replica' ? sleep(300).then(() => devices.replica.setup('s')) : devices.there.setup()
    if (how === 'copies') await begun
    await Promise.all([begun, devices.here.setup()])
  }
  beforeEach(async () => {
    primary = await startQemu(diskFolder(), [`if=none,id=${DISK},driver=quorum,read-pattern=fifo,vote-threshold=1,children.0.driver=raw,children.0.file.driver=file,children.0.file.filename=DIR/disk.raw`])
    await otherSide()
  })
  afterEach(() => Promise.all([primary.remove(), secondary.remove()]))
  const checkpoint = async (epoch: number): Promise<void> => {
    for (const side of [devices.here, devices.there]) await side.postsuspend(epoch)
    for (const side of [devices.there, devices.here]) await side.preresume(epoch)
    await devices.here.commit(epoch)
  }

  it('after the primary died the copy is as it was at the last checkpoint', async () => {
    await primary.write(DISK, 0, 0x11)
    await primary.write(DISK, MIB, 0x22)
    await checkpoint(0)
    await primary.write(DISK, MIB, 0x33) // of the epoch that is never complete
    await primary.write(DISK, 2 * MIB, 0x44)
    await primary.kill()
    await devices.there.teardown('release')
    expect(await Promise.all([secondary.holds('top', 0, 0x11), secondary.holds('top', MIB, 0x22), secondary.holds('top', 2 * MIB, 0)])).toEqual([true, true, true])
  })

  it('a backup that acknowledges has the disk of an epoch when it says so, and goes back to the last one it stored when the primary dies', async () => {
    await devices.here.teardown('release')
    await devices.there.teardown('drop')
    await secondary.remove()
    await otherSide('replica')
    const { replica, here } = devices
    const signal = new AbortController().signal
    for (let epoch = 0; epoch < 3; epoch++) {
      await primary.write(DISK, 0, epoch + 1)
      await here.postsuspend(epoch) // the guest stands from here on
      await replica.received(epoch, signal)
      await replica.store(epoch) // and is acknowledged
      await here.preresume(epoch)
      await here.commit(epoch)
    }
    await primary.write(DISK, 0, 0x77)
    await here.postsuspend(3)
    await replica.received(3, signal)
    await primary.kill() // it is not stored
    await replica.promote(2, 1n)
    await replica.teardown()
    expect(await secondary.holds('top', 0, 3)).toBe(true)
  })

  it('what the primary writes is in the copy after each checkpoint', async () => {
    for (let epoch = 0; epoch < 5; epoch++) {
      await primary.write(DISK, epoch * MIB, epoch + 1)
      await checkpoint(epoch)
      expect(await secondary.holds('top', epoch * MIB, epoch + 1)).toBe(true)
      expect(await secondary.holds('top', epoch * MIB, 0)).toBe(false)
    }
  })

  it('before the next checkpoint the guest at the secondary sees nothing of what the primary writes', async () => {
    await primary.write(DISK, 0, 0x11)
    await checkpoint(0)
    await primary.write(DISK, 0, 0x22)
    expect(await secondary.holds('top', 0, 0x11)).toBe(true)
    await checkpoint(1)
    expect(await secondary.holds('top', 0, 0x22)).toBe(true)
  })

  it('a copy that is lost is told at the next checkpoint, and the guest writes on', async () => {
    await checkpoint(0)
    await secondary.kill()
    await primary.write(DISK, 0, 0x11)
    await expect(devices.here.postsuspend(1)).rejects.toMatchObject({ code: 'DISK_REPLICATION' })
    await devices.here.teardown('release').catch(() => undefined)
    await primary.write(DISK, MIB, 0x22)
    expect([await primary.holds(DISK, 0, 0x11), await primary.holds(DISK, MIB, 0x22)]).toEqual([true, true])
  })

  it('a replication that is taken down leaves nothing at the primary, which can be protected again', async () => {
    await primary.write(DISK, 0, 0x11)
    await checkpoint(0)
    await devices.here.teardown('release')
    await devices.there.teardown('drop')
    expect(JSON.stringify(await primary.execute('query-named-block-nodes'))).not.toContain('xr-copy')
    expect(await primary.holds(DISK, 0, 0x11)).toBe(true)
    expect(await secondary.holds('top', 0, 0x11)).toBe(true)
    await secondary.remove()
    await otherSide()
    await primary.write(DISK, 0, 0x55)
    await checkpoint(0)
    expect(await secondary.holds('top', 0, 0x55)).toBe(true)
  })

  it('a primary that finds nobody at the address leaves nothing', async () => {
    await devices.here.teardown('release')
    const other = primaryDisks({ qmp: primary, disks: [DISK], nbd: { host: '127.0.0.1', port: await freePort() } })
    await expect(other.setup()).rejects.toThrow(/refused/)
    expect(JSON.stringify(await primary.execute('query-named-block-nodes'))).not.toContain('xr-copy')
  })
})
