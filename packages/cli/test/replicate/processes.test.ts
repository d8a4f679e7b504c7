import { describe, expect, it } from 'vitest'
import { listening, machine, proxy, type Machine, type Running } from './processes.ts'

/** Patient enough for a machine that is busy. */
const patient = ['--heartbeat', '200ms', '--failure-timeout', '4s']

/** Two processes between which `demo` is protected. */
async function protectedPair(on: Machine, { arbiter = on.arbiter, via = on.url }: { readonly arbiter?: string; readonly via?: string } = {}): Promise<{ readonly primary: Running; readonly backup: Running }> {
  const choice = arbiter === 'none' ? [] : ['--arbiter', arbiter]
  expect(await on.run('a', 'create', 'demo', '--memory', '8MiB', '--type', 'pvh', '--workload', 'uniform')).toMatchObject({ code: 0 })
  const backup = on.start('b', 'receive', ...choice, on.url)
  await listening(on.url, backup)
  const primary = on.start('a', 'remus', '-i', '50', ...patient, ...choice, 'demo', via, '--jsonl')
  await primary.until(/"epoch.released".*"epoch":5/)
  return { primary, backup }
}

describe('xr remus between two processes', () => {
  it('shows its epochs to `xr status`, and `xr failover` moves the guest', async () => {
    const on = machine()
    const { primary, backup } = await protectedPair(on)
    const { operations } = JSON.parse((await on.run('a', 'status', '--json')).stdout) as { readonly operations: readonly { readonly verb: string; readonly progress: object }[] }
    expect(Object.fromEntries(operations.map(({ verb, progress }) => [verb, progress]))).toMatchObject({
      remus: { strategy: { role: 'primary' }, epoch: { acknowledged: expect.any(Number) as number, pauseMs: expect.any(Number) as number } },
      receive: { strategy: { role: 'secondary' }, epoch: { acknowledged: expect.any(Number) as number } },
    })
    expect((await on.run('a', 'status')).stdout).toMatch(/remus +demo .* primary, \w+, \d+ epochs, stands .*/)
    expect(await on.run('a', 'failover', 'demo')).toMatchObject({ code: 0, stdout: expect.stringContaining('the guest runs where it should') as string })
    expect(await backup.end).toMatchObject({ code: 0, stdout: expect.stringMatching(/^demo runs here, domain 1, from .* and \d+ epochs\n$/) as string })
    expect(await primary.end).toMatchObject({ code: 0 })
    expect([await on.guests('a'), await on.guests('b')]).toEqual([[], ['demo running']])
  })

  it('ends by `xr abort`: the guest runs on, and nothing is left of it elsewhere', async () => {
    const on = machine()
    const { primary, backup } = await protectedPair(on, { arbiter: 'none' })
    expect(await on.run('a', 'abort', 'demo')).toMatchObject({ code: 0 })
    expect(await primary.end).toMatchObject({ code: 8, stderr: expect.stringContaining('demo runs on here') as string })
    expect(await backup.end).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing of demo is left here') as string })
    expect([await on.guests('a'), await on.guests('b')]).toEqual([['demo running'], []])
  })
})

describe('kill -9', () => {
  it('of the primary: the backup takes over', async () => {
    const on = machine()
    const { primary, backup } = await protectedPair(on)
    primary.child.kill('SIGKILL')
    expect(await backup.end).toMatchObject({ code: 0, stdout: expect.stringContaining('demo runs here') as string })
    expect(await on.guests('b')).toEqual(['demo running'])
  })

  it('of the primary, without an arbiter: the backup waits for `xr failover`', async () => {
    const on = machine()
    const { primary, backup } = await protectedPair(on, { arbiter: 'none' })
    primary.child.kill('SIGKILL')
    await backup.until(/nobody can say whether demo may run here/)
    expect(await on.guests('b')).toEqual(['demo--incoming paused'])
    expect(await on.run('b', 'failover', 'demo')).toMatchObject({ code: 0 })
    expect(await backup.end).toMatchObject({ code: 0 })
    expect(await on.guests('b')).toEqual(['demo running'])
  })

  it.each(['arbiter', 'none'])('of the backup: the guest runs on, and that it is unprotected is told (%s)', async (which) => {
    const on = machine()
    const { primary, backup } = await protectedPair(on, which === 'none' ? { arbiter: 'none' } : {})
    backup.child.kill('SIGKILL')
    expect(await primary.end).toMatchObject({ code: 5, stderr: expect.stringMatching(/^xr: TOOL_UNPROTECTED: .*; demo runs on here$/m) as string })
    expect(await on.guests('a')).toEqual(['demo running'])
  })
})

describe('a host that hangs', () => {
  it.each(['primary', 'backup'] as const)('the %s is found by its silence, and does not run the guest when it wakes up', async (who) => {
    const on = machine()
    const pair = await protectedPair(on)
    const [hung, other] = who === 'primary' ? [pair.primary, pair.backup] : [pair.backup, pair.primary]
    hung.child.kill('SIGSTOP')
    expect((await other.end).code).toBe(who === 'primary' ? 0 : 5)
    hung.child.kill('SIGCONT')
    expect(await hung.end).toMatchObject({ code: 6, stderr: expect.stringContaining('TOOL_DENIED') as string })
    expect([await on.guests('a'), await on.guests('b')]).toEqual(who === 'primary' ? [[], ['demo running']] : [['demo running'], []])
  })
})

describe('a link that goes silent', () => {
  it('lets the guest run on one side only', async () => {
    const on = machine()
    const between = await proxy(on.folder, on.url)
    const { primary, backup } = await protectedPair(on, { via: between.url })
    between.freeze()
    const ends = [await primary.end, await backup.end]
    const both = [await on.guests('a'), await on.guests('b')]
    expect(both.flat()).toEqual(['demo running'])
    expect(ends.map(({ code }) => code)).toEqual(both[0]?.length === 1 ? [5, 6] : [6, 0])
  })

  it('without an arbiter the guest stays where it was', async () => {
    const on = machine()
    const between = await proxy(on.folder, on.url)
    const { primary, backup } = await protectedPair(on, { via: between.url, arbiter: 'none' })
    between.freeze()
    expect(await primary.end).toMatchObject({ code: 5 })
    await backup.until(/nobody can say/)
    expect(await on.run('b', 'abort', 'demo')).toMatchObject({ code: 0 })
    expect(await backup.end).toMatchObject({ code: 8 })
    expect([await on.guests('a'), await on.guests('b')]).toEqual([['demo running'], []])
  })

  it('stops the guest when the arbiter does not answer either, until somebody decides', async () => {
    const on = machine()
    const between = await proxy(on.folder, on.url)
    const { primary, backup } = await protectedPair(on, { via: between.url, arbiter: 'exec:exit 7' })
    between.freeze()
    await Promise.all([primary.until(/"to":"standing"/), backup.until(/nobody can say/)])
    expect([await on.guests('a'), await on.guests('b')].flat().filter((guest) => guest.includes('running'))).toEqual([])
    primary.child.kill('SIGINT')
    expect(await primary.end).toMatchObject({ code: 6 })
    backup.child.kill('SIGINT')
    expect((await backup.end).code).toBe(8)
    expect([await on.guests('a'), await on.guests('b')]).toEqual([['demo paused'], []])
  })
})
