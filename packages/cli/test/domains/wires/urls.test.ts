import { chmodSync, openSync, closeSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { describe, expect, it } from 'vitest'
import { scratch, xr } from '../../run-xr.ts'
import { links } from './links.ts'
import { host, says, withDemo } from './two-hosts.ts'

describe.each(Object.keys(links))('an image over %s', (scheme) => {
  it.each([[['-c'], 'demo running'], [['-p'], 'demo paused'], [[], undefined]] as const)('goes from save %j to restore -p', async (flags, stands) => {
    const [a, b, url] = [await withDemo(), host(), await (links[scheme] as () => Promise<string>)()]
    const restoring = b.on('restore', '-p', url, '--json')
    const { exit, stdout } = await a.on('save', ...flags, 'demo', url, '--json')
    expect([exit, JSON.parse(stdout)]).toMatchObject([0, { schema: 'xr.save/1', guest: 'demo', fate: stands === undefined ? 'gone' : stands === 'demo paused' ? 'paused' : 'runs' }])
    const restored = await restoring
    expect([restored.exit, JSON.parse(restored.stdout)]).toMatchObject([0, { schema: 'xr.restore/1', guest: 'demo', state: 'paused', bytes: (JSON.parse(stdout) as { readonly bytes: number }).bytes }])
    expect([await a.guests(), await b.guests()]).toEqual([stands === undefined ? [] : [stands], ['demo paused']])
  })

  it('goes from send to receive --to', async () => {
    const [url, from, to] = [await (links[scheme] as () => Promise<string>)(), join(scratch(), 'a'), join(scratch(), 'b')]
    writeFileSync(from, 'an image of some bytes')
    const receiving = xr(['receive', '--to', to, url, '--json'])
    expect(JSON.parse((await xr(['send', from, url, '--json'])).stdout)).toMatchObject({ schema: 'xr.send/1', file: from, url, bytes: 22 })
    expect(JSON.parse((await receiving).stdout)).toMatchObject({ schema: 'xr.receive/1', file: to, url, bytes: 22 })
    expect([readFileSync(to, 'utf8'), statSync(to).mode & 0o777]).toEqual(['an image of some bytes', 0o600])
  })
})

describe('an image', () => {
  it('goes through a command, and back out of one', async () => {
    const [a, b, file] = [await withDemo(), host(), join(scratch(), 'demo.gz')]
    expect(await a.on('save', 'demo', `exec:gzip -1 > '${file}'`)).toMatchObject({ exit: 0 })
    expect(await b.on('restore', `exec:gunzip -c '${file}'`)).toMatchObject({ exit: 0 })
    expect([await a.guests(), await b.guests()]).toEqual([[], ['demo running']])
  })

  it('is not taken for safe when the command fails in the end: the guest runs on, status 5', async () => {
    const a = await withDemo()
    expect(await a.on('save', 'demo', 'exec:cat > /dev/null; exit 3')).toMatchObject({ exit: 5, stderr: says(/LINK_LOST: .*status 3; demo runs on here/) })
    expect(await a.guests()).toEqual(['demo running'])
  })

  it('of which the command says in the end that it was wrong makes no guest', async () => {
    const [a, b, file] = [await withDemo(), host(), join(scratch(), 'demo.xl')]
    await a.on('save', '-c', 'demo', file)
    expect(await b.on('restore', `exec:cat '${file}'; echo wrong checksum >&2; exit 1`)).toMatchObject({ exit: 5, stderr: says(/LINK_LOST: .*status 1; nothing of demo is left here/) })
    expect(await b.guests()).toEqual([])
  })

  it('that makes no guest at the end of a tcp link is not taken for safe', async () => {
    const [a, b, url] = [await withDemo(), host(), await (links['tcp'] as () => Promise<string>)()]
    const restoring = b.start(['restore', url], 'unpause=fail')
    expect(await a.on('save', 'demo', url)).toMatchObject({ exit: 5, stderr: says(/LINK_LOST: .*; demo runs on here/) })
    expect([(await restoring.end).code, await a.guests(), await b.guests()]).toEqual([1, ['demo running'], []])
  })

  it('that a command breaks off makes no guest: status 5', async () => {
    const [a, b, file] = [await withDemo(), host(), join(scratch(), 'demo.xl')]
    await a.on('save', '-c', 'demo', file)
    expect(await b.on('restore', `exec:head -c 3000000 '${file}'`)).toMatchObject({ exit: 5, stderr: says(/LINK_LOST: .*the connection ended before the image did/) })
    expect(await b.guests()).toEqual([])
  })

  it('goes to and comes from a descriptor; there its end is that of a file: status 3', async () => {
    const [a, b, file] = [await withDemo(), host(), join(scratch(), 'demo.xl')]
    const out = openSync(file, 'w')
    expect(await a.on('save', '-c', 'demo', `fd:${out}`)).toMatchObject({ exit: 0 })
    const whole = openSync(file, 'r')
    expect(await b.on('restore', `fd:${whole}`)).toMatchObject({ exit: 0 })
    writeFileSync(file, readFileSync(file).subarray(0, 3_000_000))
    const cut = openSync(file, 'r')
    expect(await b.on('restore', '--name', 'other', `fd:${cut}`)).toMatchObject({ exit: 3, stderr: says(/XC_RECORD_CUT: .*nothing of other is left here/) })
    expect(await b.guests()).toEqual(['demo running'])
    for (const fd of [out, whole, cut]) expect(() => closeSync(fd)).toThrow('EBADF') // whom they were given to has closed them
  })

  it('goes through ssh to where a command takes it', async () => {
    const [a, b, folder] = [await withDemo(), host(), scratch()]
    writeFileSync(join(folder, 'ssh'), '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nexec sh -c "$3"\n')
    chmodSync(join(folder, 'ssh'), 0o755)
    const env = { PATH: `${folder}:${process.env['PATH'] ?? ''}` }
    expect(await xr(['--mock-host', a.folder, 'save', 'demo', `ssh://backup/${encodeURIComponent(`cat > ${join(folder, 'demo.xl')}`)}`], { env })).toMatchObject({ exit: 0 })
    expect(await xr(['--mock-host', b.folder, 'restore', `ssh://backup/${encodeURIComponent(`cat ${join(folder, 'demo.xl')}`)}`], { env })).toMatchObject({ exit: 0 })
    expect([await a.guests(), await b.guests()]).toEqual([[], ['demo running']])
  })

  it('of what cannot be sent is refused before anybody is called', async () => {
    expect(await xr(['send', '/nowhere/x', 'tcp://127.0.0.1:9'])).toMatchObject({ exit: 1, stderr: says(/^xr: LINK_ADDRESS: \/nowhere\/x cannot be read\nhint: ENOENT/) })
    expect(await xr(['send', '/dev/null', 'tcp://127.0.0.1:9'])).toMatchObject({ exit: 1, stderr: says(/^xr: LINK_ADDRESS: \/dev\/null is no file/) })
    expect(await xr(['send', '/etc/passwd', 'smoke://hill'])).toMatchObject({ exit: 7 })
  })
})
