import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { command, machine, type Machine, type Running } from './processes.ts'

/** `xr receive --xl -r` in place of `xl migrate-receive -r`. */
const backupOf = (on: Machine, ...words: readonly string[]): string => `exec:${command('--mock-host', join(on.folder, 'b'), 'receive', '--xl', '-r', ...words).map((word) => `'${word}'`).join(' ')}`

async function protectedByXl(on: Machine, type: string): Promise<Running> {
  expect(await on.run('a', 'create', 'demo', '--memory', '8MiB', '--type', type)).toMatchObject({ code: 0 })
  const primary = on.start('a', 'remus', '--peer', 'xl', '--unsafe-no-arbiter', '-i', '50', 'demo', backupOf(on, '--unsafe-no-arbiter'), '--jsonl')
  await primary.until(/"epoch.released".*"epoch":3/)
  return primary
}

const gone = async (on: Machine, host: 'a' | 'b', wanted: readonly string[]): Promise<void> => {
  for (let tries = 0; tries < 200; tries += 1) {
    if (String(await on.guests(host)) === String(wanted)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  expect(await on.guests(host)).toEqual(wanted)
}

describe('remus to a peer that speaks as xl does', () => {
  it.each(['pv', 'hvm'])('says that nothing is acknowledged; `xr failover` ends the stream and the peer takes over: %s', async (type) => {
    const on = machine()
    const primary = await protectedByXl(on, type)
    await primary.until(/xl never acknowledges/)
    expect(await on.run('a', 'failover', 'demo')).toMatchObject({ code: 0 })
    expect(await primary.end).toMatchObject({ code: 0 })
    expect([await on.guests('a'), await on.guests('b')]).toEqual([[], ['demo running']])
  })

  it('ends by `xr abort` with a record that nobody knows, so that the peer destroys its copy', async () => {
    const on = machine()
    const primary = await protectedByXl(on, 'pvh')
    expect(await on.run('a', 'abort', 'demo')).toMatchObject({ code: 0 })
    expect(await primary.end).toMatchObject({ code: 8 })
    expect([await on.guests('a'), await on.guests('b')]).toEqual([['demo running'], []])
  })

  it('is taken over when the primary is killed', async () => {
    const on = machine()
    const primary = await protectedByXl(on, 'pvh')
    primary.child.kill('SIGKILL')
    await gone(on, 'b', ['demo running'])
  })

  it('is refused without a word that two guests may run, and with an arbiter that xl would not ask', async () => {
    const on = machine()
    expect(await on.run('a', 'create', 'demo', '--memory', '8MiB')).toMatchObject({ code: 0 })
    expect(await on.run('a', 'remus', '--peer', 'xl', 'demo', backupOf(on))).toMatchObject({ code: 2, stderr: expect.stringContaining('--unsafe-no-arbiter if you accept that') as string })
    expect(await on.run('a', 'remus', '--peer', 'xl', '--arbiter', on.arbiter, 'demo', backupOf(on))).toMatchObject({ code: 2, stderr: expect.stringContaining('xl asks no arbiter') as string })
    expect(await on.guests('a')).toEqual(['demo running'])
  })
})
