import { primaryDisks, qemuDiskCodes, replicaDisks, secondaryDisks, type QmpCommands } from '@xen-replication/qemu-disk'
import { describe, expect, it } from 'vitest'

/** Writes down what it is told; answers and refusals by command. */
function scripted(answers: Readonly<Record<string, unknown>> = {}): { readonly qmp: QmpCommands; readonly told: string[] } {
  const told: string[] = []
  return {
    told,
    qmp: {
      execute: (command, args) => {
        told.push(args === undefined ? command : `${command} ${JSON.stringify(args)}`)
        const answer = answers[command]
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer ?? (command === 'query-xen-replication-status' ? { error: false } : {}))
      },
    },
  }
}

const nbd = { host: 'backup', port: 9999 }
const COPY = 'blockdev-add {"driver":"replication","mode":"primary","node-name":"xr-copy-d0","file":{"driver":"nbd","server":{"type":"inet","host":"backup","port":"9999"},"export":"d0"}}'
const ATTACH = 'x-blockdev-change {"parent":"d0","node":"xr-copy-d0"}'
const DETACH = 'x-blockdev-change {"parent":"d0","child":"children.1"}'
const REMOVE = 'blockdev-del {"node-name":"xr-copy-d0"}'

describe('the side whose guest writes', () => {
  it('attaches a copy to each disk and goes on from checkpoint to checkpoint', async () => {
    const { qmp, told } = scripted()
    const device = primaryDisks({ qmp, disks: ['d0'], nbd })
    await device.setup()
    expect(told.splice(0)).toEqual([COPY, ATTACH, 'xen-set-replication {"enable":true,"primary":true}'])
    await device.postsuspend(0)
    await device.preresume(0)
    await device.commit(0)
    expect([await device.waiting(), told.splice(0)]).toEqual([0, ['query-xen-replication-status', 'xen-colo-do-checkpoint']])
    await device.teardown('release')
    await device.teardown('release')
    expect(told).toEqual(['xen-set-replication {"enable":false,"primary":true}', DETACH, REMOVE])
  })

  it('has its guest stand until an epoch is stored, and waits for a copy that is not ready yet', async () => {
    let refusals = 3
    const told: string[] = []
    const execute: QmpCommands['execute'] = (command) => {
      told.push(command)
      return command === 'blockdev-add' && (refusals -= 1) >= 0 ? Promise.reject(new Error('Connection refused')) : Promise.resolve({})
    }
    const slept: number[] = []
    const device = primaryDisks({ qmp: { execute }, disks: ['d0'], nbd, sleep: (ms) => Promise.resolve(void slept.push(ms)) })
    expect(device.standsUntil).toBe('stored')
    await device.setup()
    expect(told).toEqual(['blockdev-add', 'blockdev-add', 'blockdev-add', 'blockdev-add', 'x-blockdev-change', 'xen-set-replication'])
    expect(slept).toHaveLength(3)
    refusals = 1000
    await expect(primaryDisks({ qmp: { execute }, disks: ['d0'], nbd, sleep: () => Promise.resolve() }).setup()).rejects.toThrow('refused')
  })

  it.each([['blockdev-add', []], ['x-blockdev-change', [REMOVE]], ['xen-set-replication', [DETACH, REMOVE]]])('a setup that fails at %s leaves nothing', async (bad, undone) => {
    const { qmp, told } = scripted({ [bad]: new Error('no') })
    const device = primaryDisks({ qmp, disks: ['d0'], nbd })
    await expect(device.setup()).rejects.toThrow('no')
    expect(told.slice(told.findIndex((line) => line.startsWith(bad)) + 1)).toEqual(undone)
    await expect(device.postsuspend(0)).rejects.toMatchObject({ code: 'DISK_STATE' })
  })

  it('a teardown goes through to the end and tells the first failure', async () => {
    const { qmp, told } = scripted()
    let broken = false
    const execute: QmpCommands['execute'] = async (command, args) => {
      await qmp.execute(command, args)
      if (broken) throw new Error(command)
    }
    const device = primaryDisks({ qmp: { execute }, disks: ['d0'], nbd })
    await device.setup()
    broken = true
    await expect(device.teardown('drop')).rejects.toThrow('xen-set-replication')
    expect(told.slice(-3)).toEqual(['xen-set-replication {"enable":false,"primary":true}', DETACH, REMOVE])
  })
})

describe('the side that keeps the copies', () => {
  it('serves them, and takes over with what they were at the last checkpoint', async () => {
    const { qmp, told } = scripted()
    const device = secondaryDisks({ qmp, disks: ['d0', 'd1'], nbd: { host: '0.0.0.0', port: 1 } })
    await device.setup()
    await device.teardown('release')
    expect(told).toEqual([
      'nbd-server-start {"addr":{"type":"inet","data":{"host":"0.0.0.0","port":"1"}}}', 'nbd-server-add {"device":"d0","writable":true}', 'nbd-server-add {"device":"d1","writable":true}',
      'xen-set-replication {"enable":true,"primary":false}', 'xen-set-replication {"enable":false,"primary":false,"failover":true}', 'nbd-server-stop',
    ])
  })

  it('a setup that fails stops the server', async () => {
    const { qmp, told } = scripted({ 'nbd-server-add': new Error('no such drive') })
    await expect(secondaryDisks({ qmp, disks: ['d0'], nbd }).setup()).rejects.toThrow('no such drive')
    expect(told.at(-1)).toBe('nbd-server-stop')
  })
})

describe.each([['primary', primaryDisks], ['secondary', secondaryDisks]] as const)('a checkpoint at the %s', (_, make) => {
  it('fails when QEMU says that a copy is not whole', async () => {
    const { qmp } = scripted({ 'query-xen-replication-status': { error: true, desc: 'I/O error' } })
    const device = make({ qmp, disks: ['d0'], nbd })
    await device.setup()
    await expect(device.postsuspend(0)).rejects.toMatchObject({ code: 'DISK_REPLICATION', message: expect.stringContaining('I/O error') as string })
  })

  it.each([[{}], ['fine'], [{ error: 'no' }], [null]])('fails when QEMU answers %j', async (status) => {
    const device = make({ qmp: { execute: (command) => Promise.resolve(command.startsWith('query') ? status : {}) }, disks: ['d0'], nbd })
    await device.setup()
    await expect(device.postsuspend(0)).rejects.toMatchObject({ code: 'DISK_ANSWER' })
  })

  it('is refused before setup and after teardown', async () => {
    const device = make({ qmp: scripted().qmp, disks: ['d0'], nbd })
    const use = [() => device.postsuspend(0), () => device.preresume(0)]
    for (const one of use) await expect(one()).rejects.toMatchObject({ code: 'DISK_STATE' })
    await device.setup()
    await expect(device.setup()).rejects.toMatchObject({ code: 'DISK_STATE' })
    await device.teardown('drop')
    for (const one of use) await expect(one()).rejects.toMatchObject({ code: 'DISK_STATE' })
  })

  it.each([[[]], [['']], [['1a']], [['a b']], [['a'.repeat(24)]], [['d0', 'd0']]])('with disks %j is refused', (disks) =>
    expect(() => make({ qmp: scripted().qmp, disks, nbd })).toThrow(expect.objectContaining({ code: 'DISK_OPTION' }) as Error))

  it.each([0, 65_536, 1.5, NaN])('with port %d is refused', (port) =>
    expect(() => make({ qmp: scripted().qmp, disks: ['d0'], nbd: { host: 'h', port } })).toThrow(expect.objectContaining({ code: 'DISK_OPTION' }) as Error))
})

it('each code is explained in a sentence', () => {
  for (const sentence of Object.values(qemuDiskCodes)) expect(sentence).toMatch(/^[A-Z].*\.$/)
})

describe('the copies of a backup that acknowledges epochs', () => {
  it('make a checkpoint when an epoch is stored, not before, and are taken over once', async () => {
    const { qmp, told } = scripted()
    const device = replicaDisks({ qmp, disks: ['d0'], nbd })
    await device.setup('s')
    told.splice(0)
    await device.received(0, new AbortController().signal)
    expect(told.splice(0)).toEqual(['query-xen-replication-status'])
    await device.store(0)
    expect(told.splice(0)).toEqual(['xen-colo-do-checkpoint'])
    await device.promote(0, 3n)
    await device.teardown()
    expect(told).toEqual(['xen-set-replication {"enable":false,"primary":false,"failover":true}', 'nbd-server-stop'])
  })

  it('do not take an epoch for received when QEMU says that the copies differ', async () => {
    const { qmp } = scripted({ 'query-xen-replication-status': { error: true, desc: 'the link is gone' } })
    const device = replicaDisks({ qmp, disks: ['d0'], nbd })
    await device.setup('s')
    await expect(device.received(0, new AbortController().signal)).rejects.toMatchObject({ code: 'DISK_REPLICATION' })
  })
})
