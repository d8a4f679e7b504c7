import { describe, expect, it } from 'vitest'
import { listening, machine } from './processes.ts'

describe('xr receive --name, for a guest that is protected', () => {
  it('calls the guest that when it takes over, so that both may be on one host', async () => {
    const on = machine()
    expect(await on.run('a', 'create', 'demo', '--memory', '8MiB', '--type', 'pvh')).toMatchObject({ code: 0 })
    const backup = on.start('a', 'receive', '--arbiter', on.arbiter, '--name', 'demo-b', on.url)
    await listening(on.url, backup)
    const primary = on.start('a', 'remus', '-i', '50', '--arbiter', on.arbiter, 'demo', on.url, '--jsonl')
    await primary.until(/"epoch.released".*"epoch":2/)
    expect([...(await on.guests('a'))].sort()).toEqual(['demo running', 'demo-b--incoming paused'])
    expect(await on.run('a', 'failover', 'demo')).toMatchObject({ code: 0 })
    expect(await backup.end).toMatchObject({ code: 0, stdout: expect.stringContaining('demo-b runs here') as string })
    expect(await on.guests('a')).toEqual(['demo-b running'])
  })

  it('is refused for several guests, before anything is sent', async () => {
    const on = machine()
    for (const name of ['one', 'two']) expect(await on.run('a', 'create', name, '--memory', '4MiB')).toMatchObject({ code: 0 })
    const backup = on.start('b', 'receive', '--arbiter', on.arbiter, '--name', 'both', on.url)
    await listening(on.url, backup)
    const primary = on.start('a', 'remus', '--arbiter', on.arbiter, 'one', 'two', on.url)
    expect(await backup.end).toMatchObject({ code: 1, stderr: expect.stringContaining('2 guests cannot all be called both') as string })
    expect((await primary.end).code).not.toBe(0)
    expect([await on.guests('a'), await on.guests('b')]).toEqual([['one running', 'two running'], []])
  })
})
