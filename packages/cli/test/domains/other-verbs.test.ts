import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { scratch, xr } from '../run-xr.ts'

const document = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Record<string, unknown>> => JSON.parse((await xr([...args, '--json'], { env })).stdout) as Record<string, unknown>

/** A plugin in a file that brings a transport. */
function pluginFile(scheme: string): string {
  const path = join(scratch(), 'plugin.mjs')
  const transport = '{ duplex: true, dial: () => Promise.reject(new Error("no")), listen: () => Promise.reject(new Error("no")) }'
  writeFileSync(path, `export const mine = { name: '@acme/mine', api: 1, contribute: (to) => to.transport('${scheme}', ${transport}) }\n`)
  return path
}

describe('xr plugins', () => {
  it('lists what each plugin brings, those of the user too', async () => {
    const { contributions } = (await document(['plugins', '--plugin', pluginFile('smoke')])) as { contributions: readonly { readonly kind: string; readonly name: string; readonly plugin: string; readonly summary: string }[] }
    expect(contributions.map(({ kind, name }) => `${kind} ${name}`)).toEqual(expect.arrayContaining(['backend mock', 'transport tcp', 'transport unix', 'transport smoke']))
    expect(contributions.at(-1)).toEqual({ kind: 'transport', name: 'smoke', plugin: '@acme/mine', summary: 'both ways' })
    expect((await xr(['plugins'])).stdout).toMatch(/^Kind +Name +Plugin +What it is\nbackend +mock +@xen-replication\/backend-mock +A simulated host/)
  })

  it('works whatever backend is chosen, and says which plugins quarrel', async () => {
    expect((await xr(['plugins', '--backend', 'none'])).exit).toBe(0)
    const env = { XR_PLUGINS: pluginFile('tcp') }
    expect(await xr(['plugins'], { env })).toMatchObject({ exit: 1, stderr: expect.stringContaining("PLUGIN_DUPLICATE: @xen-replication/transports and @acme/mine both bring the transport 'tcp'") as string })
    expect((await xr(['list', '--mock-host', scratch()], { env })).stderr).toContain('PLUGIN_DUPLICATE')
  })

  it('of the user are joined, before the verb and behind it', async () => {
    const { contributions } = (await document(['--plugin', pluginFile('smoke'), 'plugins', '--plugin', pluginFile('fog')])) as { contributions: readonly { readonly name: string }[] }
    expect(contributions.map(({ name }) => name)).toEqual(expect.arrayContaining(['smoke', 'fog']))
  })
})

describe('xr config show', () => {
  it('tells what holds and where it comes from', async () => {
    const folder = scratch()
    const file = join(folder, 'c.toml')
    writeFileSync(file, 'backend = "kvm"\nmock-host = "sim"\n[settings]\nspeed = 9\n')
    const env = { XR_CONFIG: file, XR_RUN_DIR: '/run/xr', XR_MOCK_HOST: '/srv/sim' }
    expect(await document(['config', 'show', '--backend', 'mock'], env)).toEqual({
      schema: 'xr.config/1',
      files: [file],
      settings: [
        { name: 'backend', value: 'mock', from: 'flag', where: '--backend' },
        { name: 'mock-host', value: '/srv/sim', from: 'environment', where: 'XR_MOCK_HOST' },
        { name: 'run-dir', value: '/run/xr', from: 'environment', where: 'XR_RUN_DIR' },
        { name: 'speed', value: '9', from: 'file', where: file },
      ],
    })
    expect((await xr(['config', 'show'], { env })).stdout).toMatch(/^Setting +Value\nbackend +kvm\nmock-host +\/srv\/sim\n/)
    expect((await xr(['config', 'show', '--origin'], { env })).stdout).toMatch(/\nrun-dir +\/run\/xr +environment XR_RUN_DIR\n/)
    expect((await xr(['config', 'show', '--origin'])).stdout).toMatch(/\nbackend +mock +default\n/)
  })

  it('refuses what is wrong in a file', async () => {
    const file = join(scratch(), 'c.toml')
    writeFileSync(file, 'bakend = "mock"\n')
    expect(await xr(['--config', file, 'config', 'show'])).toMatchObject({ exit: 1, stderr: expect.stringMatching(/^xr: TOOL_SETTING: .*there is no setting 'bakend'\nhint: there are backend, /) as string })
    expect((await xr(['--config', '/nowhere.toml', 'list'])).stderr).toContain('TOOL_CONFIG_FILE')
    expect((await xr(['config', 'edit'])).exit).toBe(2)
  })
})

describe('xr status and xr abort', () => {
  it('find what is under way, and call it off: the guest runs on', async () => {
    const [host, there, env] = [scratch(), scratch(), { XR_RUN_DIR: join(scratch(), 'run') }]
    expect((await xr(['status'], { env })).stdout).toBe('nothing is under way\n')
    await xr(['--mock-host', host, 'create', 'demo', '--memory', '16', '--type', 'pv', '--set', 'fill=1'])
    const url = `unix:${join(there, 's')}`
    const receiving = xr(['--mock-host', there, 'receive', url], { env })
    const operations = async () => (await document(['status'], env))['operations'] as readonly { readonly verb: string; readonly guest?: string; readonly progress: { readonly bytes?: number } }[]
    while ((await operations()).length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
    expect((await xr(['status'], { env })).stdout).toMatch(/\nreceive +- +[0-9a-f]{8} +\d+ +.* m?s +waits +unix:/)
    const sending = xr(['--mock-host', host, 'migrate', '--bandwidth', '4MiB/s', '--compress', 'none', 'demo', url], { env })
    while (!(await operations()).some(({ verb, progress }) => verb === 'migrate' && (progress.bytes ?? 0) > 0)) await new Promise((resolve) => setTimeout(resolve, 10))
    expect((await xr(['status'], { env })).stdout).toMatch(/\nmigrate +demo +.* round 1, \d+ %, .* MiB +unix:/)
    expect(await document(['abort', 'demo'], env)).toMatchObject({ schema: 'xr.abort/1', verb: 'migrate', guest: 'demo', outcome: 'interrupted', code: 'TOOL_INTERRUPTED' })
    expect(await sending).toMatchObject({ exit: 8, stderr: expect.stringContaining('TOOL_INTERRUPTED: migrate of demo was called off by `xr abort`; demo runs on here') as string })
    expect(await receiving).toMatchObject({ exit: 1, stderr: expect.stringContaining('SESSION_PEER_ABORTED: the peer gave up: TOOL_INTERRUPTED: called off by `xr abort`; nothing of demo is left here') as string })
    expect(await xr(['abort', 'demo'], { env })).toMatchObject({ exit: 1, stderr: expect.stringContaining("TOOL_NO_OPERATION: nothing is under way with 'demo'") as string })
  })

  it('say in words what came of it', async () => {
    const [there, env] = [scratch(), { XR_RUN_DIR: join(scratch(), 'run') }]
    const receiving = xr(['--mock-host', there, 'receive', `unix:${join(there, 's')}`], { env })
    const idOf = async (): Promise<string | undefined> => ((await document(['status'], env))['operations'] as readonly { readonly id: string }[])[0]?.id
    let id = await idOf()
    while (id === undefined) id = await idOf()
    expect((await xr(['abort', id], { env })).stdout).toBe('receive is called off\n')
    expect((await receiving).exit).toBe(8)
  })

  it('cannot be found where the list cannot be kept, which -v tells', async () => {
    const host = scratch()
    await xr(['--mock-host', host, 'create', 'demo', '--memory', '4', '--type', 'pv'])
    const env = { XR_RUN_DIR: '/dev/null' }
    expect(await xr(['--mock-host', host, 'save', '-v', '-c', 'demo', join(host, 'x')], { env })).toMatchObject({ exit: 0, stderr: expect.stringContaining('xr status and xr abort will not find this') as string })
    expect((await xr(['--mock-host', host, 'save', 'demo', join(host, 'x')], { env })).stderr).toBe('')
  })
})

describe('xr demo --migrate', () => {
  it('shows a guest saved, checked and moved, in seconds', async () => {
    const { exit, stdout, stderr } = await xr(['demo', '--migrate'])
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    expect(stdout).toMatch(/Xen's restorer: accept; Xen's verify-stream-v2: accept; the written specification: accept\./)
    expect(stdout).toMatch(/It runs on b, and is gone from a\./)
  })

  it('counts on where it was', async () => {
    const { steps } = (await document(['demo', '--migrate'])) as { steps: readonly Readonly<Record<string, unknown>>[] }
    expect(steps.map(({ step }) => step)).toEqual(['create', 'save', 'verify', 'migrate'])
    expect(steps[2]).toMatchObject({ verdict: { strict: 'accept', xen: 'accept', verifier: 'accept' } })
    expect(steps[3]).toMatchObject({ left: 0 })
    expect(Number(steps[3]?.['after'])).toBeGreaterThan(Number(steps[3]?.['before']))
  })

  it('ends at once on a signal and leaves nothing', async () => {
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 200)
    expect(await xr(['demo', '--migrate'], { signal: stop.signal })).toMatchObject({ exit: 8 })
  })
})
