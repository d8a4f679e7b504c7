import { describe, expect, it } from 'vitest'
import { listening, machine, proxy, type Machine, type Running } from './processes.ts'

/** Patient enough for a machine that is busy. */
const patient = ['--heartbeat', '200ms', '--failure-timeout', '4s']

/** Two processes between which `demo` runs in lock-step. */
async function lockstepPair(on: Machine, { arbiter = on.arbiter, via = on.url }: { readonly arbiter?: string; readonly via?: string } = {}): Promise<{ readonly primary: Running; readonly backup: Running }> {
  const choice = arbiter === 'none' ? [] : ['--arbiter', arbiter]
  expect(await on.run('a', 'create', 'demo', '--memory', '8MiB', '--type', 'hvm', '--workload', 'counter')).toMatchObject({ code: 0 })
  const backup = on.start('b', 'receive', ...choice, on.url)
  await listening(on.url, backup)
  const primary = on.start('a', 'colo', '-i', '100', ...patient, ...choice, 'demo', via, '--jsonl')
  await primary.until(/"epoch.released".*"epoch":2/)
  return { primary, backup }
}

describe('xr colo between two processes', () => {
  it('runs the guest on both, shows that to `xr status`, and `xr failover` hands it over', async () => {
    const on = machine()
    const { primary, backup } = await lockstepPair(on)
    expect([await on.guests('a'), await on.guests('b')]).toEqual([['demo running'], [expect.stringMatching(/^demo--incoming (running|suspended|paused)$/)]])
    const { operations } = JSON.parse((await on.run('a', 'status', '--json')).stdout) as { readonly operations: readonly { readonly verb: string; readonly progress: object }[] }
    expect(operations.map(({ verb }) => verb).toSorted()).toEqual(['colo', 'receive'])
    expect(await on.run('a', 'failover', 'demo')).toMatchObject({ code: 0, stdout: expect.stringContaining('the guest runs where it should') as string })
    expect(await backup.end).toMatchObject({ code: 0, stdout: expect.stringMatching(/^demo runs here/) as string })
    expect(await primary.end).toMatchObject({ code: 0 })
    expect([await on.guests('a'), await on.guests('b')]).toEqual([[], ['demo running']])
  })

  it('ends by `xr abort`: the guest runs on here, and nothing is left of it there', async () => {
    const on = machine()
    const { primary, backup } = await lockstepPair(on, { arbiter: 'none' })
    expect(await on.run('a', 'abort', 'demo')).toMatchObject({ code: 0 })
    expect(await primary.end).toMatchObject({ code: 8, stderr: expect.stringContaining('demo runs on here') as string })
    expect(await backup.end).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing of demo is left here') as string })
    expect([await on.guests('a'), await on.guests('b')]).toEqual([['demo running'], []])
  })
})

describe('kill -9', () => {
  it('of the primary: the other side runs on, and its guest counts on', async () => {
    const on = machine()
    const { primary, backup } = await lockstepPair(on)
    primary.child.kill('SIGKILL')
    expect(await backup.end).toMatchObject({ code: 0, stdout: expect.stringContaining('demo runs here') as string })
    expect(await on.guests('b')).toEqual(['demo running'])
    const time = async (): Promise<number> => (JSON.parse((await on.run('b', 'list', '--json')).stdout) as { readonly domains: readonly { readonly cpuSeconds: number }[] }).domains[0]?.cpuSeconds ?? NaN
    const before = await time()
    expect(await time()).toBeGreaterThan(before)
  })

  it('of the primary, without an arbiter: the other side stands still until `xr failover`', async () => {
    const on = machine()
    const { primary, backup } = await lockstepPair(on, { arbiter: 'none' })
    primary.child.kill('SIGKILL')
    await backup.until(/nobody can say whether demo may run here/)
    expect((await on.guests('b')).join()).toMatch(/^demo--incoming (paused|suspended)/)
    expect(await on.run('b', 'failover', 'demo')).toMatchObject({ code: 0 })
    expect(await backup.end).toMatchObject({ code: 0 })
    expect(await on.guests('b')).toEqual(['demo running'])
  })

  it('of the other side: the guest runs on here, and nothing that ran along is left', async () => {
    const on = machine()
    const { primary, backup } = await lockstepPair(on)
    backup.child.kill('SIGKILL')
    expect(await primary.end).toMatchObject({ code: 5, stderr: expect.stringMatching(/^xr: TOOL_UNPROTECTED: .*; demo runs on here$/m) as string })
    expect([await on.guests('a'), await on.guests('b')]).toEqual([['demo running'], []])
  })
})

describe('a link that goes silent', () => {
  it('lets the guest run on one side only', async () => {
    const on = machine()
    const between = await proxy(on.folder, on.url)
    const { primary, backup } = await lockstepPair(on, { via: between.url })
    between.freeze()
    await Promise.all([primary.end, backup.end])
    expect([await on.guests('a'), await on.guests('b')].flat()).toEqual(['demo running'])
  })
})
