import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { DemoClient } from '../../src/domains/demo-client.ts'
import { scratch, xr } from '../run-xr.ts'

const packet = (number: number) => ({ number, ops: 100 * number, sentAt: 0, leftAt: 0, noise: 0 })
/** Processes of a demonstration that are still there; this one's children only. */
const primaries = (): string => spawnSync('pgrep', ['-P', String(process.pid), '-f', 'demo primary'], { encoding: 'utf8' }).stdout

describe('xr demo', () => {
  it('kills the host of a server, whose backup goes on; no acknowledged request is lost, and a page tells of it', async () => {
    const page = join(scratch(), 'demo.html')
    const { exit, stdout, stderr } = await xr(['demo', '--report', page])
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    expect(stdout).toMatch(/kill -9[\s\S]*\+\d.*the server runs at the backup[\s\S]*No acknowledged request is lost: [1-9]/)
    const html = readFileSync(page, 'utf8')
    expect(html).toMatch(/kill -9: the primary, process \d+, is dead/)
    expect(html).toContain('The guest runs here now.')
    expect(html).toContain('Requests answered')
    expect(primaries()).toBe('')
  })

  it('tells the same as JSON', async () => {
    const { exit, stdout } = await xr(['demo', '--json'])
    const told = JSON.parse(stdout) as Readonly<Record<string, number>>
    expect({ exit, ...told }).toMatchObject({ exit: 0, schema: 'xr.demo/1', lost: 0 })
    const { detectMs = NaN, grantedMs = NaN, runsMs = NaN, answeredBefore = NaN, answered = NaN, knownThere = NaN, epochs = NaN } = told
    expect(0 <= detectMs && detectMs <= grantedMs && grantedMs <= runsMs, JSON.stringify(told)).toBe(true)
    expect(knownThere).toBeGreaterThanOrEqual(answeredBefore)
    expect(answered).toBeGreaterThan(answeredBefore)
    expect(epochs).toBeGreaterThan(0)
  })

  it('ends at once on a signal; neither a process nor a folder is left', async () => {
    const folder = scratch()
    vi.stubEnv('TMPDIR', folder)
    onTestFinished(() => void vi.unstubAllEnvs())
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 900)
    expect(await xr(['demo'], { signal: stop.signal })).toMatchObject({ exit: 8 })
    expect(primaries()).toBe('')
    expect(readdirSync(folder)).toEqual([])
  })

  it('refuses a page about a migration, and a part without its folder', async () => {
    expect(await xr(['demo', '--migrate', '--report', 'x.html'])).toMatchObject({ exit: 2 })
    expect(await xr(['demo', 'primary'])).toMatchObject({ exit: 2 })
    expect(await xr(['demo', 'secondary'])).toMatchObject({ exit: 2 })
  })

  it('says so where the page cannot be written, before anything begins', async () => {
    expect(await xr(['demo', '--report', join(scratch(), 'no/x.html')])).toMatchObject({ exit: 1, stdout: '', stderr: expect.stringMatching(/^xr: OBSERVER_REPORT: .*\nhint: name a file/) as string })
  })
})

describe('xr simulate --report', () => {
  it('writes the story of one run as a page, in virtual time, and refuses many runs', async () => {
    const page = join(scratch(), 'run.html')
    expect(await xr(['simulate', '--seed', '17', '--report', page])).toMatchObject({ stderr: '' })
    const html = readFileSync(page, 'utf8')
    expect(html).toContain('of virtual time')
    expect(html).toMatch(/<b>a<\/b><span>[^<]*copying/)
    expect(html).not.toContain('1970')
    expect(await xr(['simulate', '--seeds', '3', '--report', page])).toMatchObject({ exit: 2, stderr: expect.stringContaining('one run') as string })
  })
})

describe('the client of the demonstration', () => {
  it('counts what a server has forgotten, and answers that never came', () => {
    const client = new DemoClient()
    for (const number of [1, 2, 4, 4, 5]) client.hear(packet(number), number * 10)
    expect({ answered: client.answered, last: client.last, unanswered: client.unanswered, gap: client.longestGapMs }).toEqual({ answered: 4, last: 5, unanswered: 1, gap: 20 })
    expect([client.lostAt(5, 5), client.lostAt(4, 5), client.lostAt(1, 5), client.lostAt(1, 2)]).toEqual([0, 1, 3, 1])
  })
})
