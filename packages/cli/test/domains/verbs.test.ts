import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { scratch, xr, type Ran } from '../run-xr.ts'

/** A simulated host in a folder of its own, and xr working with it. */
function host(env: Readonly<Record<string, string>> = {}) {
  const folder = scratch()
  const on = (...args: readonly string[]): Promise<Ran> => xr(['--mock-host', folder, ...args], { env })
  const json = async (...args: readonly string[]): Promise<unknown> => JSON.parse((await on(...args, '--json')).stdout)
  const states = async (): Promise<readonly string[]> => ((await json('list')) as { readonly domains: readonly { readonly name: string; readonly state: string }[] }).domains.map(({ name, state }) => `${name} ${state}`)
  return { folder, on, json, states, faulty: (faults: string) => (...args: readonly string[]) => xr(['--mock-host', folder, ...args], { env: { ...env, XR_MOCK_FAULTS: faults } }) }
}

/** The same with a guest called demo. */
async function withDemo(...options: readonly string[]) {
  const made = host()
  expect(await made.on('create', 'demo', '--memory', '4', '--type', 'pv', ...options)).toMatchObject({ exit: 0, stderr: '' })
  return made
}

describe('a guest on the simulated host', () => {
  it('is saved, verified and restored elsewhere', async () => {
    const [a, b] = [await withDemo(), host()]
    const file = join(scratch(), 'demo.xl')
    expect(await a.on('save', '-c', 'demo', file)).toMatchObject({ exit: 0, stderr: '', stdout: expect.stringMatching(/demo\.xl: demo, .* MiB; it stood for .*, now demo runs on here\n$/) as string })
    expect((await xr(['verify', file])).exit).toBe(0)
    expect(await b.on('restore', file)).toMatchObject({ exit: 0, stderr: '', stdout: expect.stringMatching(/^demo runs here, domain 1, from .* MiB\n$/) as string })
    expect([await a.states(), await b.states()]).toEqual([['demo running'], ['demo running']])
  })

  it('is made as was asked', async () => {
    const made = host()
    expect(await made.json('create', 'demo', '--type', 'pv', '--width', '32', '--memory', '6MiB', '--vcpus', '3', '--workload', 'zipf', '--rate', '5', '--seed', '3', '--set', 'start=paused')).toEqual({ schema: 'xr.create/1', id: 1, name: 'demo', type: 'pv' })
    expect(await made.json('list')).toMatchObject({ schema: 'xr.list/1', domains: [{ id: 1, name: 'demo', type: 'pv', width: 32, vcpus: 3, memoryBytes: 6 << 20, state: 'paused', cpuSeconds: 0, xen: expect.stringMatching(/^\d+\.\d+$/) as string }] })
    expect((await made.on('list')).stdout).toMatch(/^Name +ID +Type +MiB +VCPUs +State +Time\(s\)\ndemo +1 +pv +6 +3 +paused +0\.0\n$/)
  })

  it('is destroyed by name, id or UUID', async () => {
    const made = await withDemo()
    expect((await made.on('destroy', 'demo')).stdout).toBe('demo, domain 1, is destroyed\n')
    await made.on('create', 'demo')
    expect(await made.json('destroy', '2')).toMatchObject({ schema: 'xr.destroy/1', id: 2, name: 'demo' })
    await made.on('create', 'demo')
    const { domains } = (await made.json('list')) as { readonly domains: readonly { readonly uuid: string }[] }
    expect((await made.on('destroy', domains[0]?.uuid.toUpperCase() ?? '')).exit).toBe(0)
    expect(await made.states()).toEqual([])
  })

  it('is told apart from those that are not there', async () => {
    const made = await withDemo()
    expect(await made.on('destroy', 'dmeo')).toMatchObject({ exit: 1, stderr: "xr: BACKEND_NO_SUCH_DOMAIN: there is no domain 'dmeo' on this host\nhint: there are demo\n" })
    expect((await host().on('save', '7', 'x')).stderr).toContain('hint: there is none at all\n')
  })
})

describe('a save', () => {
  it('leaves the guest paused with -p, and gone without', async () => {
    const made = await withDemo()
    const file = join(scratch(), 'demo.xl')
    expect(await made.json('save', '-p', 'demo', file)).toMatchObject({ schema: 'xr.save/1', guest: 'demo', file, fate: 'paused', bytes: readFileSync(file).length })
    expect(await made.states()).toEqual(['demo paused'])
    expect(await made.on('save', 'demo', file)).toMatchObject({ exit: 1, stderr: expect.stringContaining('TOOL_GUEST: demo is paused') as string })
    const other = await withDemo()
    expect((await other.on('save', 'demo', file)).stdout).toMatch(/now demo is gone from here\n$/)
    expect(await other.states()).toEqual([])
    expect(await other.json('restore', '-p', file)).toMatchObject({ schema: 'xr.restore/1', guest: 'demo', type: 'pv', state: 'paused', bytes: readFileSync(file).length })
    expect((await other.on('restore', '-p', file)).stderr).toContain('BACKEND_NAME_TAKEN')
  })

  it('to a full disk leaves the guest running, and says why', async () => {
    const made = await withDemo()
    expect(await made.on('save', 'demo', '/dev/full')).toMatchObject({ exit: 1, stdout: '', stderr: expect.stringMatching(/^xr: LINK_IO: .*no space is left; demo runs on here\nhint: free some space/) as string })
    expect(await made.states()).toEqual(['demo running'])
  })

  it('that the host fails leaves the guest running and no file', async () => {
    const made = await withDemo()
    const folder = scratch()
    const { exit, document } = await made.faulty('map:3=fail')('save', 'demo', join(folder, 'x'), '--json').then(({ exit: code, stdout }) => ({ exit: code, document: JSON.parse(stdout) as unknown }))
    expect(exit).toBe(1)
    expect(document).toMatchObject({ schema: 'xr.error/1', code: 'BACKEND_MAP', message: 'map fails the 3. time, as planned; demo runs on here' })
    expect([readdirSync(folder), await made.states()]).toEqual([[], ['demo running']])
  })

  it('to a peer that hangs up ends with status 5, and the guest runs on', async () => {
    const made = await withDemo()
    const server = createServer((socket) => {
      socket.once('data', () => socket.destroy())
      socket.on('error', () => undefined)
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const { exit, stderr } = await made.on('save', 'demo', `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`)
    expect(exit).toBe(5)
    expect(stderr).toMatch(/^xr: LINK_LOST: .*; demo runs on here\n/)
    expect(await made.states()).toEqual(['demo running'])
  })

  it('to nobody ends with status 5 before the guest is touched', async () => {
    const made = await withDemo()
    expect(await made.on('save', '--connect-timeout', '0', 'demo', `unix:${join(scratch(), 's')}`)).toMatchObject({ exit: 5, stderr: expect.stringMatching(/^xr: LINK_REFUSED: .*nobody listens/) as string })
    expect(await made.on('save', '--connect-timeout', '300ms', 'demo', 'tcp://127.0.0.1:9')).toMatchObject({ exit: 5, stderr: expect.stringMatching(/^xr: nobody listens at tcp:.* yet; trying for 300 ms\nxr: LINK_REFUSED/) as string })
    expect(await made.on('save', 'demo', 'smoke://hill')).toMatchObject({ exit: 7, stderr: expect.stringMatching(/^xr: PLUGIN_NO_TRANSPORT/) as string })
  })

  it('that is interrupted ends with status 8; the guest runs on and no file is left', async () => {
    const made = await withDemo()
    const folder = scratch()
    const stop = new AbortController()
    const saving = xr(['--mock-host', made.folder, 'save', 'demo', join(folder, 'x')], { signal: stop.signal, env: { XR_MOCK_FAULTS: 'suspend=delay(300ms)' } })
    setTimeout(() => stop.abort(), 150)
    expect(await saving).toMatchObject({ exit: 8, stderr: expect.stringMatching(/^xr: TOOL_INTERRUPTED: save of demo was called off; demo runs on here\n/) as string })
    expect([readdirSync(folder), await made.states()]).toEqual([[], ['demo running']])
  })

  it('tells what happens as lines of JSON', async () => {
    const made = await withDemo()
    const { stdout, exit } = await made.on('save', 'demo', join(scratch(), 'x'), '--jsonl')
    const events = stdout.trim().split('\n').map((line) => JSON.parse(line) as { readonly event: string; readonly outcome?: string })
    expect(exit).toBe(0)
    expect([events[0]?.event, events.at(-1)?.event, events.at(-1)?.outcome]).toEqual(['operation.begin', 'operation.end', 'done'])
    expect(new Set(events.map(({ event }) => event))).toContain('save.pages')
  })
})

describe('a restore', () => {
  it('of what is no image, or not there, says so', async () => {
    const made = host()
    expect(await made.on('restore', '/dev/null')).toMatchObject({ exit: 3, stderr: expect.stringContaining('TOOL_IMAGE: this is no Xen image') as string })
    expect(await made.on('restore', '/nowhere')).toMatchObject({ exit: 1, stderr: expect.stringContaining('LINK_ADDRESS') as string })
  })

  it('of a cut image leaves nothing and ends with status 3', async () => {
    const made = await withDemo()
    const file = join(scratch(), 'x')
    await made.on('save', 'demo', file)
    const { truncateSync } = await import('node:fs')
    truncateSync(file, 1_000_000)
    const { exit, stderr } = await made.on('restore', file)
    expect(exit).toBe(3)
    expect(stderr).toMatch(/^xr: XC_RECORD_CUT: .*\(at byte 1000000, record \d+\); nothing of demo is left here\n/)
    expect(await made.states()).toEqual([])
  })

  it('can wait at a URL for a save elsewhere', async () => {
    const [a, b] = [await withDemo(), host()]
    const url = `unix:${join(scratch(), 's')}`
    const restoring = b.on('restore', url)
    while (!existsSync(url.slice(5))) await new Promise((resolve) => setTimeout(resolve, 10))
    expect((await a.on('save', 'demo', url)).exit).toBe(0)
    expect((await restoring).exit).toBe(0)
    expect([await a.states(), await b.states()]).toEqual([[], ['demo running']])
  })

  it('that waits can be interrupted', async () => {
    const stop = new AbortController()
    const folder = scratch()
    const waiting = xr(['--mock-host', host().folder, 'restore', `unix:${join(folder, 's')}`], { signal: stop.signal })
    setTimeout(() => stop.abort(), 100)
    expect(await waiting).toMatchObject({ exit: 8 })
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('options of the host', () => {
  it('stand before the verb or behind it; what stands behind counts', async () => {
    const made = await withDemo()
    expect((await xr(['list', '--mock-host', made.folder])).stdout).toContain('demo')
    expect((await made.on('list', '--mock-host', host().folder)).stdout).not.toContain('demo')
    expect((await xr(['list'], { env: { XR_MOCK_HOST: made.folder } })).stdout).toContain('demo')
  })

  it('are wrong where they make no sense', async () => {
    const made = host()
    expect(await made.on('--backend', 'kvm', 'list')).toMatchObject({ exit: 7, stderr: expect.stringContaining("PLUGIN_NO_BACKEND: no plugin brings a backend 'kvm'") as string })
    expect(await made.on('create', 'x', '--memory', 'much')).toMatchObject({ exit: 2, stderr: expect.stringContaining("--memory: 'much' is no size") as string })
    expect(await made.on('create', 'x', '--vcpus', '0')).toMatchObject({ exit: 2, stderr: expect.stringContaining('--vcpus') as string })
    expect(await made.on('create', 'x', '--set', 'fill')).toMatchObject({ exit: 2, stderr: expect.stringContaining('--set') as string })
    expect(await made.on('create', 'x', '--set', 'colour=blue')).toMatchObject({ exit: 7, stderr: expect.stringContaining("no setting 'colour'") as string })
    expect(await made.on('save', '-c', '-p', 'x', 'y')).toMatchObject({ exit: 2, stderr: expect.stringContaining('exclude each other') as string })
    expect(await made.on('sav')).toMatchObject({ exit: 2, stderr: expect.stringContaining('`xr help` lists the verbs') as string })
    expect((await made.on('save', 'x')).stderr).toContain('`xr help save`')
    expect((await made.on('--plugin', 'no-such-plugin', 'list')).stderr).toContain('PLUGIN_NOT_FOUND')
    expect((await xr(['verify', '--backend', 'mock', 'x'])).exit).toBe(2)
  })
})
