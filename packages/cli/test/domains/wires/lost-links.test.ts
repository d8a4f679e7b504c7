import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { scratch, xr } from '../../run-xr.ts'
import { proxyTo } from './proxy.ts'
import { host, listening, says, socket, until, withDemo } from './two-hosts.ts'

const MIB = 2 ** 20
/** Greetings, heartbeats and heads of frames beside the bytes of a stream. */
const SMALL_TALK = 16 * 1024

describe('a link that is cut and made again', () => {
  it('does not keep a guest from moving, and at most 1 % is sent twice', async () => {
    const forth = async (cuts: readonly number[]): Promise<number> => {
      const [a, b, url] = [await withDemo('--workload', 'idle', '--memory', '24', '--seed', '5'), host(), socket()]
      const receiving = b.start(['receive', url])
      await listening(url)
      const proxy = await proxyTo(url, cuts)
      const moved = await a.start(['migrate', '--compress', 'none', 'demo', proxy.url]).end
      expect(moved).toMatchObject({ code: 0, stderr: says(cuts.length === 0 ? /^(migrate demo, .*\n)*$/ : /xr: the link to unix:.* is lost\nxr: waiting for another link, for 30\.0 s at most\n/) })
      expect((await receiving.end).code).toBe(0)
      expect([await a.guests(), await b.guests(), proxy.links()]).toEqual([[], ['demo running'], cuts.length + 1])
      return proxy.forth()
    }
    const whole = await forth([])
    expect(whole).toBeGreaterThan(23 * MIB)
    const cut = await forth([9 * MIB, 17 * MIB])
    expect(cut - whole).toBeLessThan(whole / 100 + SMALL_TALK)
  })

  it('does not keep an image from arriving, and at most 1 % is sent twice', async () => {
    const [here, there, url] = [join(scratch(), 'a.xl'), join(scratch(), 'b.xl'), socket()]
    const image = randomBytes(16 * MIB)
    writeFileSync(here, image)
    const receiving = host().start(['receive', '--to', there, url])
    await listening(url)
    const proxy = await proxyTo(url, [3 * MIB, 6 * MIB, 13 * MIB])
    expect(await host().start(['send', here, proxy.url]).end).toMatchObject({ code: 0, stdout: says(/a\.xl: 16 MiB are at unix:/) })
    expect(await receiving.end).toMatchObject({ code: 0, stdout: says(/b\.xl: 16 MiB\n$/) })
    expect(readFileSync(there).equals(image)).toBe(true)
    expect([readdirSync(dirname(here)), readdirSync(dirname(there)), proxy.links()]).toEqual([['a.xl'], ['b.xl'], 4])
    expect(proxy.forth() - image.length).toBeLessThan(image.length / 100 + SMALL_TALK)
  })

  it('does not keep a guest from being saved on another host', async () => {
    const [a, file, url] = [await withDemo(), join(scratch(), 'demo.xl'), socket()]
    const receiving = host().start(['receive', '--to', file, url])
    await listening(url)
    const proxy = await proxyTo(url, [2 * MIB])
    expect(await a.on('save', '--peer', 'xr', 'demo', proxy.url)).toMatchObject({ exit: 0, stdout: says(/now demo is gone from here\n$/) })
    expect(await receiving.end).toMatchObject({ code: 0 })
    expect([proxy.links(), await a.guests(), (await xr(['verify', '-q', file])).exit, (await a.on('restore', file)).exit]).toEqual([2, [], 0, 0])
  })
})

describe('a link that is cut for good', () => {
  it.each(['1', '40000', '3000000', '8000000'])('after %s bytes leaves the guest here and nothing there, both with status 5', async (at) => {
    const [a, b, url] = [await withDemo('--workload', 'zipf'), host(), socket()]
    const receiving = b.start(['receive', '--wait', '0', url])
    await listening(url)
    const proxy = await proxyTo(url, [Number(at)])
    expect(await a.on('migrate', '--wait', '0', 'demo', proxy.url)).toMatchObject({ exit: 5, stderr: says(/^xr: LINK_LOST: /m) })
    expect(await receiving.end).toMatchObject({ code: 5, stderr: says(/^xr: LINK_LOST: /m) })
    expect([await a.guests(), await b.guests()]).toEqual([['demo running'], []])
  })

  it('leaves a guest that was to be saved elsewhere running, and no image', async () => {
    const [a, file, url] = [await withDemo(), join(scratch(), 'demo.xl'), socket()]
    const receiving = host().start(['receive', '--to', file, '--wait', '0', url])
    await listening(url)
    const proxy = await proxyTo(url, [2 * MIB])
    expect(await a.on('save', '--peer', 'xr', '--wait', '0', 'demo', proxy.url)).toMatchObject({ exit: 5, stderr: says(/LINK_LOST: .*; demo runs on here\n/) })
    expect(await receiving.end).toMatchObject({ code: 5, stderr: says(/hint: what has come is kept/) })
    expect([await a.guests(), existsSync(file)]).toEqual([['demo running'], false])
  })
})

describe('an image of which both processes were killed', () => {
  it('goes on where it was when the same commands run again, and only between those two', async () => {
    const [here, there, url] = [join(scratch(), 'a.xl'), join(scratch(), 'b.xl'), socket()]
    const image = randomBytes(16 * MIB)
    writeFileSync(here, image)
    const proxy = await proxyTo(url)
    const both = async () => {
      rmSync(url.slice(5), { force: true })
      const waiting = host().start(['receive', '--to', there, url])
      await listening(url)
      return [waiting, host().start(['send', '--bandwidth', '16MiB/s', here, proxy.url])] as const
    }
    const [receiving, sending] = await both()
    await until(() => proxy.forth() > 6 * MIB)
    receiving.child.kill('SIGKILL')
    sending.child.kill('SIGKILL')
    await Promise.all([receiving.end, sending.end])
    expect(existsSync(there)).toBe(false)
    const [again, more] = await both()
    expect([(await more.end).code, (await again.end).code]).toEqual([0, 0])
    expect(readFileSync(there).equals(image)).toBe(true)
    expect([readdirSync(dirname(here)), readdirSync(dirname(there))]).toEqual([['a.xl'], ['b.xl']])
    expect(proxy.forth() - image.length).toBeLessThan(image.length / 100 + SMALL_TALK)
  })

  it('is begun anew by another sender, and is refused when its notes were changed', async () => {
    const [here, there, url] = [join(scratch(), 'a.xl'), join(scratch(), 'b.xl'), socket()]
    writeFileSync(here, randomBytes(4 * MIB))
    const part = host().start(['receive', '--wait', '0', '--to', there, url])
    await listening(url)
    const proxy = await proxyTo(url, [2 * MIB])
    expect((await host().start(['send', '--wait', '0', here, proxy.url]).end)).toMatchObject({ code: 5, stderr: says(/hint: what has come is kept: run the same command again/) })
    expect((await part.end).code).toBe(5)
    const notes = `${there}.part.json`
    writeFileSync(notes, readFileSync(notes, 'utf8').replace(/"offset":\d+/, '"offset":17'))
    const forged = host().start(['receive', '--to', there, url])
    await listening(url)
    expect((await host().start(['send', here, proxy.url]).end).stderr).toMatch(/SESSION_PEER_ABORTED: .*SESSION_PART/)
    expect(await forged.end).toMatchObject({ code: 1, stderr: says(/SESSION_PART: the notes of the transfer are damaged/) })
    const other = join(scratch(), 'c.xl') // a sender that nobody knows begins anew
    writeFileSync(other, 'another one')
    const taking = host().start(['receive', '--to', there, url])
    expect((await host().start(['send', other, url]).end).code).toBe(0)
    expect([(await taking.end).code, readFileSync(there, 'utf8')]).toEqual([0, 'another one'])
  })
})
