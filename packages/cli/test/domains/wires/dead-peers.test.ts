import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { describe, expect, it } from 'vitest'
import { scratch, xr } from '../../run-xr.ts'
import { links } from './links.ts'
import { host, listening, says, socket, until, withDemo, type Host } from './two-hosts.ts'

/** Kills the sender in the first round, and the receiver while memory comes. */
const DIES = { sender: 'take:1=kill', receiver: 'populate:2=kill' }

describe.each(Object.keys(links))('over %s, between two xr', (scheme) => {
  it.each(['sender', 'receiver'] as const)('a killed %s is lost to the other, with status 5: the guest runs on where it was', async (who) => {
    const [a, b, url] = [await withDemo('--workload', 'zipf'), host(), await (links[scheme] as () => Promise<string>)()]
    const receiving = b.start(['receive', '--wait', '0', url], who === 'receiver' ? DIES.receiver : '')
    const sending = a.start(['migrate', '--wait', '0', 'demo', url], who === 'sender' ? DIES.sender : '')
    const [dead, left] = who === 'sender' ? [sending, receiving] : [receiving, sending]
    expect((await dead.end).code).toBeNull()
    expect(await left.end).toMatchObject({ code: 5, stderr: says(who === 'sender' ? /xr: LINK_LOST: .*; nothing of (demo|the guest) is left here\n/ : /xr: LINK_LOST: .*; demo runs on here\n/) })
    expect([await a.guests(), await b.guests()]).toEqual([['demo running'], []])
  })
})

describe.each([['xr', []], ['xl', ['--xl']]] as const)('over the pipes of a command, as %s', (peer, flags) => {
  /** A command that takes a guest, and writes its status to a file when it ends. */
  const command = (b: Host, status: string, faults = ''): string => `${faults === '' ? '' : `XR_MOCK_FAULTS='${faults}' `}${b.line('receive', ...flags)}; echo $? > '${status}'`
  const migrated = (peerFlags: readonly string[], url: string) => ['migrate', '--peer', peer, ...peerFlags, 'demo', url]

  it('a killed receiver is lost to the sender, with status 5', async () => {
    const [a, b, status] = [await withDemo(), host(), join(scratch(), 'status')]
    expect(await a.start(migrated([], `exec:exec ${b.line('receive', ...flags)}`), DIES.receiver).end).toMatchObject({ code: 5, stderr: says(/xr: LINK_LOST: .*; demo runs on here\n/) })
    expect(existsSync(status)).toBe(false)
    expect([await a.guests(), await b.guests()]).toEqual([['demo running'], []])
  })

  it('a killed sender is lost to the receiver, with status 5', async () => {
    const [a, b, status] = [await withDemo(), host(), join(scratch(), 'status')]
    expect((await a.start(migrated([], `exec:unset XR_MOCK_FAULTS; ${command(b, status)}`), DIES.sender).end).code).toBeNull()
    await until(() => existsSync(status) && readFileSync(status, 'utf8') !== '')
    expect([readFileSync(status, 'utf8'), await a.guests(), await b.guests()]).toEqual(['5\n', ['demo running'], []])
  })

  it('a receiver behind ssh that is killed is lost, too', async () => {
    const [a, b, folder] = [await withDemo(), host(), scratch()]
    writeFileSync(join(folder, 'ssh'), `#!/bin/sh\nXR_MOCK_FAULTS='${DIES.receiver}' exec ${b.line('receive', ...flags)}\n`)
    chmodSync(join(folder, 'ssh'), 0o755)
    const { exit, stderr } = await xr(['--mock-host', a.folder, ...migrated([], 'ssh://backup')], { env: { PATH: `${folder}:${process.env['PATH'] ?? ''}` } })
    expect({ exit, stderr }).toMatchObject({ exit: 5, stderr: says(/xr: LINK_LOST: .*; demo runs on here\n/) })
    expect([await a.guests(), await b.guests()]).toEqual([['demo running'], []])
  })
})

describe('an image on its way from save to restore', () => {
  it('of which the sender is killed leaves nothing, with status 5', async () => {
    const [a, b, url] = [await withDemo(), host(), socket()]
    const restoring = b.start(['restore', url])
    await listening(url)
    expect((await a.start(['save', 'demo', url], 'map:2=kill').end).code).toBeNull()
    expect(await restoring.end).toMatchObject({ code: 5, stderr: says(/xr: LINK_LOST: .*the connection ended before the image did/) })
    expect(await b.guests()).toEqual([])
  })

  it('of which the receiver is killed leaves the guest running, with status 5', async () => {
    const [a, b, url] = [await withDemo(), host(), socket()]
    const restoring = b.start(['restore', url], DIES.receiver)
    await listening(url)
    expect(await a.start(['save', 'demo', url]).end).toMatchObject({ code: 5, stderr: says(/xr: LINK_LOST: .*; demo runs on here\n/) })
    expect([(await restoring.end).code, await a.guests(), await b.guests()]).toEqual([null, ['demo running'], []])
  })
})
