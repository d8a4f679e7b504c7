import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { mockPlugin, type MockHost } from '@xen-replication/backend-mock'
import { contributionsOf, type BackendContribution } from '@xen-replication/plugin-api'
import { emptyDirectory } from './store/processes.ts'

const signal = new AbortController().signal
const backend = (): BackendContribution => {
  const [found] = contributionsOf(mockPlugin)
  if (found?.kind !== 'backend') throw new Error('no backend')
  return found.what
}

afterEach(() => vi.unstubAllEnvs())

describe('the plugin', () => {
  it('brings the backend mock, over a directory', async () => {
    const dir = emptyDirectory()
    const host = (await backend().open({ 'mock-host': dir }, signal)) as MockHost
    await host.createGuest({ name: 'demo', kind: 'pv', memoryBytes: 2 ** 20 })
    await host.close()
    const again = await backend().open({ 'mock-host': dir, 'mock-faults': 'config:2=fail' }, signal)
    const [demo] = await again.list()
    expect(demo).toMatchObject({ name: 'demo' })
    expect(await again.config(demo?.domId as never)).toContain('"pv"')
    await expect(again.config(demo?.domId as never)).rejects.toMatchObject({ code: 'BACKEND_HOST' })
  })

  it('uses the state directory of the user when none is named', async () => {
    const state = emptyDirectory()
    vi.stubEnv('XDG_STATE_HOME', state)
    await (await backend().open({}, signal)).close()
    expect(existsSync(join(state, 'xr/mock/host.json'))).toBe(true)
  })

  it('refuses a plan of faults that makes no sense before anything is made', async () => {
    const dir = join(emptyDirectory(), 'host')
    await expect(backend().open({ 'mock-host': dir, 'mock-faults': 'map' }, signal)).rejects.toMatchObject({ code: 'BACKEND_UNSUPPORTED' })
    expect(existsSync(dir)).toBe(false)
  })
})
