import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { count, protect, standing, type PairEnd, type PairOptions, type Side } from './pair.ts'

const word = (text: string): Buffer => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)])

/** What stands in for the notify_dev of a QEMU that compares, and what it was told, in words. */
async function compare(): Promise<{ readonly url: string; readonly told: string[]; want(): void; hangUp(): void }> {
  const folder = mkdtempSync(join(tmpdir(), 'xr-compare-'))
  const path = join(folder, 'notify')
  const links: Socket[] = []
  const told: string[] = []
  const server = createServer((socket) => {
    links.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      for (const one of bytes.toString('latin1').match(/COLO_[A-Z_]+/g) ?? []) {
        told.push(one)
        if (one === 'COLO_USERSPACE_PROXY_INIT') socket.write(word('COLO_COMPARE_GET_XEN_INIT'))
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  onTestFinished(() => {
    links.forEach((link) => link.destroy())
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { url: `unix:${path}`, told, want: () => links.forEach((link) => link.write(word('DO_CHECKPOINT'))), hangUp: () => links.forEach((link) => link.destroy()) }
}

const colo = (proxy: string, options: Omit<PairOptions, 'request'> = {}): Promise<PairEnd> =>
  protect({ guest: { kind: 'hvm' }, ...options, request: { strategy: 'colo', verb: 'colo', options: { interval: 3_600_000, proxy } } })

const moves = ({ seen }: Side, event: string): number => seen.filter((one) => one.kind === 'strategy.move' && one.data.event === event).length

describe('a guest in lock-step whose packets a QEMU compares', () => {
  it('has a checkpoint when that wants one, and tells it of each', async () => {
    const qemu = await compare()
    const end = await colo(qemu.url, {
      see: (event, who, { primary }) => {
        if (who !== 'primary' || event.kind !== 'epoch.released') return
        if (event.data.epoch < 3) qemu.want()
        else primary.ask('abort')
      },
    })
    expect(end.sentError).toMatchObject({ code: 'TOOL_INTERRUPTED' })
    expect([moves(end.primary, 'diverged'), moves(end.primary, 'due')]).toEqual([3, 0])
    expect(qemu.told.filter((one) => one === 'COLO_CHECKPOINT').length).toBeGreaterThanOrEqual(count(end.primary.seen, 'epoch.acknowledged'))
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], []])
  })

  it('goes on here when that QEMU is gone', async () => {
    const qemu = await compare()
    const end = await colo(qemu.url, { see: (event, who) => {
      if (who === 'primary' && event.kind === 'epoch.released' && event.data.epoch === 0) qemu.hangUp()
    } })
    expect(end.sentError).toMatchObject({ code: 'PROXY_LOST' })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], []])
  })

  it('is not touched when nobody listens there', async () => {
    const end = await colo('unix:/nowhere/notify')
    expect(end.sentError).toMatchObject({ code: 'LINK_REFUSED' })
    expect([await standing(end.primary), await standing(end.backup)]).toEqual([['demo runs'], []])
    expect(count(end.primary.seen, 'epoch.acknowledged')).toBe(0)
  })
})
