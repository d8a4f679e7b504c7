import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { scratch, xr, type Ran } from '../run-xr.ts'

// Some of these run the built command, as a user would; the test task builds first.
const bin = fileURLToPath(new URL('../../bin/xr.js', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A simulated host in a folder of its own. */
function host() {
  const folder = scratch()
  const on = (...args: readonly string[]): Promise<Ran> => xr(['--mock-host', folder, ...args])
  const guests = async (): Promise<readonly string[]> => {
    const { domains } = JSON.parse((await on('list', '--json')).stdout) as { readonly domains: readonly { readonly name: string; readonly state: string }[] }
    return domains.map(({ name, state }) => `${name} ${state}`)
  }
  const command = (...args: readonly string[]): readonly string[] => [bin, '--mock-host', folder, ...args]
  return { folder, on, guests, command }
}

async function withDemo(...options: readonly string[]) {
  const made = host()
  expect(await made.on('create', 'demo', '--memory', '8', '--type', 'pv', ...options)).toMatchObject({ exit: 0 })
  return made
}

const socket = (): string => `unix:${join(scratch(), 's')}`
const listening = async (url: string): Promise<void> => {
  while (!existsSync(url.slice(5))) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** Starts the command as a process of its own. */
function started(words: readonly string[], env: Readonly<Record<string, string>> = {}): { readonly child: ChildProcess; readonly end: Promise<Ended> } {
  const child = spawn(process.execPath, words, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return { child, end: new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr }))) }
}

describe('xr migrate and xr receive', () => {
  it('move a guest between two processes: it runs there and is gone from here', async () => {
    const [a, b, url] = [await withDemo('--workload', 'zipf'), host(), socket()]
    const receiving = started(b.command('receive', url))
    await listening(url)
    const moved = await started(a.command('migrate', '--live', 'demo', url)).end
    expect(moved).toMatchObject({ code: 0, stdout: expect.stringMatching(/^demo runs at unix:.*; it stood for .* m?s\n$/) as string })
    expect(await receiving.end).toMatchObject({ code: 0, stderr: expect.not.stringMatching(/^xr: /m) as string, stdout: expect.stringMatching(/^demo runs here, domain 1, from .* MiB\n$/) as string })
    expect([await a.guests(), await b.guests()]).toEqual([[], ['demo running']])
  })

  it('tell what they did as documents', async () => {
    const [a, b, url] = [await withDemo(), host(), socket()]
    const receiving = b.on('receive', '-p', url, '--json')
    await listening(url)
    expect(JSON.parse((await a.on('migrate', '--stopped', '--compress', 'none', '--bandwidth', '1Gbit/s', 'demo', url, '--json')).stdout)).toMatchObject({ schema: 'xr.migrate/1', guest: 'demo', url, bytes: expect.any(Number) as number })
    expect(JSON.parse((await receiving).stdout)).toMatchObject({ schema: 'xr.receive/1', guest: 'demo', id: 1, type: 'pv', state: 'paused', url })
    expect(await b.guests()).toEqual(['demo paused'])
  })

  it.each([['xr', ['-']], ['xl', ['--xl']]])('go through the standard input and output of a command, as %s does', async (peer, words) => {
    const [a, b] = [await withDemo(), host()]
    const line = [process.execPath, ...b.command('receive', ...words)].map((word) => `'${word}'`).join(' ')
    expect(await a.on('migrate', '--peer', peer, 'demo', `exec:${line}`)).toMatchObject({ exit: 0, stderr: expect.not.stringMatching(/^xr: /m) as string })
    expect([await a.guests(), await b.guests()]).toEqual([[], ['demo running']])
  })

  it('tell the guest from the link where both want standard output', async () => {
    expect(await host().on('receive', '--json')).toMatchObject({ exit: 2, stderr: expect.stringContaining('standard output is the link') as string })
  })

  it.each([
    [['--live', '--stopped'], /exclude each other/],
    [['--peer', 'xl', '--bandwidth', '1MiB/s'], /--bandwidth has no meaning for xl/],
    [['--bandwidth', '7'], /--bandwidth: '7' is no rate/],
    [['--wait', '3 weeks'], /--wait: '3 weeks' is no time/],
  ])('refuse %j', async (words, says) => {
    expect(await host().on('migrate', ...words, 'demo', 'tcp://a:1')).toMatchObject({ exit: 2, stderr: expect.stringMatching(says) as string })
  })

  it('leave a guest alone when nobody waits for it', async () => {
    const a = await withDemo()
    expect(await a.on('migrate', '--connect-timeout', '0', 'demo', 'tcp://127.0.0.1:9')).toMatchObject({ exit: 5, stderr: expect.stringMatching(/^xr: LINK_REFUSED/m) as string })
    expect(await a.guests()).toEqual(['demo running'])
  })

  it('leave a guest alone where the other side is something else', async () => {
    const a = await withDemo()
    expect(await a.on('migrate', 'demo', "exec:printf 'xl migration receiver ready, send binary domain data.\\n'; cat >/dev/null")).toMatchObject({ exit: 1, stderr: expect.stringMatching(/^xr: SESSION_NOT_XR: .*\nhint: use --peer xl\n/m) as string })
    expect(await a.on('migrate', '--peer', 'xl', 'demo', 'exec:echo hello')).toMatchObject({ exit: 1, stderr: expect.stringMatching(/^xr: FMT_HANDSHAKE: .*hello/m) as string })
    expect(await a.guests()).toEqual(['demo running'])
  })

  it('leave the guest here, with status 5, when the other process is killed', async () => {
    const [a, b, url] = [await withDemo('--workload', 'uniform'), host(), socket()]
    const receiving = started(b.command('receive', url), { XR_MOCK_FAULTS: 'populate:2=kill' })
    await listening(url)
    const { code, stderr } = await started(a.command('migrate', '--wait', '0', 'demo', url)).end
    expect(code).toBe(5)
    expect(stderr).toMatch(/xr: LINK_LOST: .*; demo runs on here\n/)
    expect((await receiving.end).code).toBeNull()
    expect([await a.guests(), await b.guests()]).toEqual([['demo running'], []])
  })

  it('leave nothing there, with status 5, when the process here is killed', async () => {
    const [a, b, url] = [await withDemo('--workload', 'uniform'), host(), socket()]
    const receiving = started(b.command('receive', '--wait', '0', url))
    await listening(url)
    const { code } = await started(a.command('migrate', 'demo', url), { XR_MOCK_FAULTS: 'take:1=kill' }).end
    expect(code).toBeNull()
    expect(await receiving.end).toMatchObject({ code: 5, stderr: expect.stringMatching(/xr: LINK_LOST: .*; nothing of (demo|the guest) is left here\n/) as string })
    expect([await a.guests(), await b.guests()]).toEqual([['demo running'], []])
  })

  it('say on both sides why a guest stays', async () => {
    const [a, b, url] = [await withDemo(), host(), socket()]
    const receiving = started(b.command('receive', url), { XR_MOCK_FAULTS: 'pin=fail' })
    await listening(url)
    expect(await a.on('migrate', 'demo', url)).toMatchObject({ exit: 1, stderr: expect.stringMatching(/^xr: SESSION_GIVEN_BACK: the peer gives the guest back: BACKEND_PAGE_TABLE: pin fails the 1\. time, as planned; demo runs on here\n/m) as string })
    expect(await receiving.end).toMatchObject({ code: 1, stderr: expect.stringMatching(/^xr: BACKEND_PAGE_TABLE: pin fails the 1\. time, as planned; nothing of demo is left here\n/m) as string })
  })

  it('end with status 8 on a signal; the guest runs on and both sides say why', async () => {
    const [a, b, url] = [await withDemo('--set', 'fill=1'), host(), socket()]
    const receiving = started(b.command('receive', url))
    await listening(url)
    const sending = started(a.command('migrate', '--bandwidth', '2MiB/s', '--compress', 'none', 'demo', url))
    while ((await b.guests()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20)) // until it is on its way
    sending.child.kill('SIGINT')
    expect(await sending.end).toMatchObject({ code: 8, stderr: expect.stringMatching(/xr: TOOL_INTERRUPTED: migrate of demo was called off; demo runs on here\n/) as string })
    expect(await receiving.end).toMatchObject({ code: 1, stderr: expect.stringMatching(/xr: SESSION_PEER_ABORTED: .*; nothing of demo is left here\n/) as string })
    expect([await a.guests(), await b.guests()]).toEqual([['demo running'], []])
  })

  it('say when the second round begins that the link is too slow for the guest', async () => {
    const [a, b, url] = [await withDemo('--workload', 'sequential', '--rate', '200000'), host(), socket()]
    const receiving = b.on('receive', url)
    await listening(url)
    const { exit, stderr } = await a.on('migrate', '--bandwidth', '8MiB/s', 'demo', url)
    await receiving
    expect(exit).toBe(0)
    expect(stderr).toMatch(/^xr: the guest writes .*\/s and the link takes .*\/s: after round 2 about as much will be left as now; it will stand for about .*A faster link/m)
  })
})
