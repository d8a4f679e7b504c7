import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { xr, xrJson } from './run-xr.ts'

const bin = fileURLToPath(new URL('../bin/xr.cjs', import.meta.url))

interface Document {
  readonly digest: string
  readonly violations: readonly { readonly invariant: string; readonly count: number; readonly seeds: readonly number[]; readonly replay: string }[]
}

describe('xr simulate', { timeout: 600_000 }, () => {
  it('plays seeds and finds nothing', async () => {
    const { exit, stdout } = await xr(['simulate', '--strategy', 'remus', '--seeds', '12'])
    expect(exit).toBe(0)
    expect(stdout).toMatch(/^remus, 12 seeds from 1: no violation\n\d+ epochs acknowledged, \d+ take-overs?, .* of virtual time in .*, digest [0-9a-f]{8}\n$/)
  })

  it('--json writes one document', async () => {
    const { exit, document } = await xrJson('simulate', '--seeds', '3', '--seed', '5')
    expect(exit).toBe(0)
    expect(document).toMatchObject({ schema: 'xr.simulate/1', strategy: 'remus', first: 5, seeds: 3, jobs: 1, violations: [], digest: expect.stringMatching(/^[0-9a-f]{8}$/) as string })
  })

  it('with a mistake put back in names what is violated, by which seeds, and how to see it, and fails', async () => {
    const { exit, document } = await xrJson('simulate', '--fault', 'release-before-ack', '--seeds', '10')
    expect(exit).toBe(1)
    const { violations } = document as Document
    expect(violations[0]).toMatchObject({ invariant: 'output-commit', sentence: expect.stringContaining('No packet leaves') as string })
    const [seed] = (violations[0] as Document['violations'][number]).seeds
    const { exit: again, stdout } = await xr((violations[0] as Document['violations'][number]).replay.split(' ').slice(1))
    expect(again).toBe(1)
    expect(stdout).toContain(`seed ${seed}: {`)
    expect(stdout).toMatch(/ VIOLATED {2}output-commit: packet \d+ leaves/)
  })

  it('says the same whatever the number of threads', () => {
    const [one, two] = ['1', '2'].map((jobs) => JSON.parse(spawnSync(process.execPath, [bin, 'simulate', '--seeds', '60', '--jobs', jobs, '--json'], { encoding: 'utf8' }).stdout) as Document)
    expect(two?.digest).toBe(one?.digest)
    expect(two?.violations).toEqual([])
  })

  it('stops when it is called off', async () => {
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 50)
    expect(await xr(['simulate', '--seeds', '1000000'], { signal: stop.signal })).toMatchObject({ exit: 8, stdout: '', stderr: expect.stringContaining('CLI_INTERRUPTED') as string })
  })

  it.each([
    [['--strategy', 'raft'], 'there is remus'],
    [['--fault', 'gremlins'], 'release-before-ack'],
    [['--seeds', '0'], 'whole number from 1'],
    [['--seed', '-1'], ''],
    [['--jobs', 'many'], 'whole number from 1 to 256'],
  ])('refuses %j', async (words, hint) => {
    const { exit, stderr } = await xr(['simulate', ...words])
    expect(exit).toBe(2)
    expect(stderr).toContain(hint)
  })
})
