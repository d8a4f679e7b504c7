import { resolveSettings, type SettingSources } from '@xen-replication/toolstack'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { folderOf } from '../scratch.ts'

const settings = (sources: Partial<SettingSources>) => resolveSettings({ flags: {}, env: { HOME: '/nobody' }, cwd: '/work', ...sources })

describe('settings', () => {
  it('are a simulated host in the user’s state folder when nobody says anything', async () => {
    const found = await settings({ env: { HOME: '/nobody', XDG_RUNTIME_DIR: '/run/user/7' } })
    expect(found).toMatchObject({ backend: 'mock', plugins: [], files: [], runDir: '/run/user/7/xr', forPlugins: { 'mock-host': '/nobody/.local/state/xr/mock' } })
    expect(found.entries).toEqual([
      { name: 'backend', value: 'mock', from: 'default', where: undefined },
      { name: 'mock-host', value: '/nobody/.local/state/xr/mock', from: 'default', where: undefined },
      { name: 'run-dir', value: '/run/user/7/xr', from: 'default', where: undefined },
    ])
    expect((await settings({ env: { XDG_STATE_HOME: '/state' } })).forPlugins['mock-host']).toBe('/state/xr/mock')
    expect((await settings({ env: { XDG_STATE_HOME: 'relative', HOME: '' } })).runDir).toMatch(/\/xr-\d+$/)
  })

  it('come from a file, then the environment, then the command line', async () => {
    const folder = folderOf({ 'xr/config.toml': 'backend = "kvm"\nmock-host = "sim"\n' })
    const env = { XDG_CONFIG_HOME: folder }
    const path = join(folder, 'xr/config.toml')
    const backendOf = async (sources: Partial<SettingSources>) => (await settings(sources)).entries[0]
    expect(await backendOf({ env })).toEqual({ name: 'backend', value: 'kvm', from: 'file', where: path })
    expect(await backendOf({ env: { ...env, XR_BACKEND: 'xen' } })).toEqual({ name: 'backend', value: 'xen', from: 'environment', where: 'XR_BACKEND' })
    expect(await backendOf({ env: { ...env, XR_BACKEND: '' } })).toMatchObject({ from: 'file' })
    expect(await backendOf({ env: { ...env, XR_BACKEND: 'xen' }, flags: { backend: 'mock' } })).toEqual({ name: 'backend', value: 'mock', from: 'flag', where: '--backend' })
    expect((await settings({ env })).files).toEqual([path])
  })

  it('that are paths are relative to where they were written', async () => {
    const folder = folderOf({ 'c.toml': 'mock-host = "sim"\n' })
    expect((await settings({ configFile: join(folder, 'c.toml') })).forPlugins['mock-host']).toBe(join(folder, 'sim'))
    expect((await settings({ flags: { 'mock-host': 'sim' } })).forPlugins['mock-host']).toBe('/work/sim')
    expect((await settings({ env: { XR_MOCK_HOST: 'sim' } })).forPlugins['mock-host']).toBe('/work/sim')
  })

  it('of plugins add up, each once, with who asked first', async () => {
    const folder = folderOf({ 'c.toml': 'plugins = ["a", "b"]\n' })
    const found = await settings({ env: { XR_CONFIG: join(folder, 'c.toml'), XR_PLUGINS: 'b, c,' }, flags: { plugins: ['d', 'a'] } })
    expect(found.plugins).toEqual(['a', 'b', 'c', 'd'])
    expect(found.entries.filter(({ name }) => name === 'plugins').map(({ value, from }) => `${value} ${from}`)).toEqual(['a file', 'b file', 'c environment', 'd flag'])
    expect(found.forPlugins).not.toHaveProperty('plugins')
  })

  it('that only plugins know are passed on as text', async () => {
    const folder = folderOf({ 'c.toml': '[settings]\nspeed = 9\nloud = true\nname = "x"\n' })
    expect((await settings({ configFile: join(folder, 'c.toml') })).forPlugins).toMatchObject({ speed: '9', loud: 'true', name: 'x' })
  })
})

describe('a configuration file', () => {
  it.each([
    ['backend = mock', 'TOOL_CONFIG_FILE', /c\.toml, line 1: Invalid TOML/],
    ['backend = 7', 'TOOL_SETTING', /'backend' takes a text in quotation marks/],
    ['plugins = "a"', 'TOOL_SETTING', /'plugins' takes a list of texts/],
    ['plugins = ["a", 1]', 'TOOL_SETTING', /'plugins' takes a list of texts/],
    ['bakend = "mock"', 'TOOL_SETTING', /there is no setting 'bakend'/],
    ['settings = 1', 'TOOL_SETTING', /'settings' takes a table/],
    ['[settings]\na = [1]', 'TOOL_SETTING', /'settings\.a' takes a text/],
  ])('that says %j is refused', async (text, code, message) => {
    const folder = folderOf({ 'c.toml': text })
    await expect(settings({ configFile: join(folder, 'c.toml') })).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string })
  })

  it('that was asked for must be there; others need not', async () => {
    await expect(settings({ configFile: 'nothing.toml' })).rejects.toMatchObject({ code: 'TOOL_CONFIG_FILE', message: '/work/nothing.toml cannot be read: ENOENT' })
    const folder = folderOf({ xr: '' })
    expect((await settings({ env: { XDG_CONFIG_HOME: folder } })).files).toEqual([])
  })

  it('that cannot be read is told', async () => {
    const folder = folderOf({ 'xr/config.toml/x': '' })
    await expect(settings({ env: { XDG_CONFIG_HOME: folder } })).rejects.toMatchObject({ code: 'TOOL_CONFIG_FILE', message: expect.stringContaining('EISDIR') as string })
  })
})
