import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openQemuDisks, placeOf } from '../../src/domains/qemu-disks.ts'
import { judge, protect, standing } from './pair.ts'

let dir: string
let servers: Server[]
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'xr-qemu-disks-'))
  servers = []
})
afterEach(async () => {
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  rmSync(dir, { recursive: true, force: true })
})

/** Stands in for the monitor of a QEMU: takes every command, and writes it down. */
async function monitor(name: string, told: string[]): Promise<string> {
  const path = join(dir, name)
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.write('{"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}, "package": ""}, "capabilities": []}}\r\n')
    let text = ''
    socket.on('data', (bytes) => {
      text += bytes.toString()
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines.filter((one) => one.trim() !== '')) {
        const { execute, id } = JSON.parse(line) as { readonly execute: string; readonly id: unknown }
        if (execute !== 'qmp_capabilities') told.push(`${name} ${execute}`)
        socket.write(`${JSON.stringify({ return: execute === 'query-xen-replication-status' ? { error: false } : {}, id })}\r\n`)
      }
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return `${path},127.0.0.1:10809,colo0`
}

describe('disks that QEMU copies', () => {
  it('are named by socket, address and drives, and by nothing else', () => {
    expect(placeOf('/run/q,backup:10809,colo0,colo1')).toEqual({ qmp: '/run/q', nbd: { host: 'backup', port: 10_809 }, disks: ['colo0', 'colo1'] })
    expect(placeOf('/run/q,[::1]:1,a').nbd).toEqual({ host: '::1', port: 1 })
    for (const wrong of ['', '/run/q', '/run/q,backup,colo0', '/run/q,backup:10809', ',b:1,c']) expect(() => placeOf(wrong), wrong).toThrow(expect.objectContaining({ code: 'CLI_USAGE' }) as Error)
  })

  it('that nobody serves are told before a guest is touched', async () => {
    await expect(openQemuDisks(`${join(dir, 'nobody')},127.0.0.1:1,colo0`)).rejects.toMatchObject({ code: 'QMP_LOST' })
  })

  it('make their checkpoint at the backup before the epoch is acknowledged, then at the primary, and are taken over with the guest', { timeout: 120_000 }, async () => {
    const told: string[] = []
    const [here, there] = [await openQemuDisks(await monitor('a', told)), await openQemuDisks(await monitor('b', told))]
    try {
      const end = await protect({
        judge: judge('secondary'),
        request: { moreDevices: () => (here === undefined ? [] : [here.primary]) },
        receive: { replicas: () => (there === undefined ? [] : [there.replica]) },
        see: (event, who, pair) => {
          if (who !== 'primary') return
          if (event.kind === 'epoch.acknowledged') told.push('acknowledged')
          if (event.kind === 'epoch.released' && event.data.epoch === 3) pair.cut()
        },
      })
      expect(await standing(end.backup)).toEqual(['demo paused'])
      const epochs = told.slice(told.indexOf('a xen-set-replication') + 1, told.indexOf('acknowledged', told.indexOf('acknowledged') + 1) + 2)
      const epoch = ['a query-xen-replication-status', 'b query-xen-replication-status', 'b xen-colo-do-checkpoint', 'acknowledged', 'a xen-colo-do-checkpoint']
      expect(epochs).toEqual([...epoch, ...epoch])
      expect(told.filter((line) => line.startsWith('b ')).slice(0, 3)).toEqual(['b nbd-server-start', 'b nbd-server-add', 'b xen-set-replication'])
      expect(told.filter((line) => line.startsWith('b ')).slice(-2)).toEqual(['b xen-set-replication', 'b nbd-server-stop'])
    } finally {
      here?.close()
      there?.close()
    }
  })
})
