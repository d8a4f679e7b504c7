import { join } from 'node:path'
import process from 'node:process'
import { describe, expect, it } from 'vitest'
import { scratch } from '../../run-xr.ts'
import { host, listening, says, socket, withDemo, type Host } from './two-hosts.ts'

describe('who dials first', () => {
  it('waits for a receiver that is started a moment later, and says so', async () => {
    const [a, b, url] = [await withDemo(), host(), socket()]
    const sending = a.start(['migrate', 'demo', url])
    await new Promise((resolve) => setTimeout(resolve, 700))
    const receiving = b.start(['receive', url])
    expect(await sending.end).toMatchObject({ code: 0, stderr: says(/xr: nobody listens at unix:.* yet; trying for 10\.0 s\n/) })
    expect([(await receiving.end).code, await a.guests(), await b.guests()]).toEqual([0, [], ['demo running']])
  })

  it('does not wait where it makes no sense', async () => {
    const a = await withDemo()
    const began = performance.now()
    expect(await a.on('migrate', 'demo', 'exec:exit 127')).toMatchObject({ exit: 5, stderr: says(/^xr: LINK_(REFUSED|LOST): /m) })
    expect(await a.on('migrate', 'demo', 'tls://127.0.0.1:9?ca=/nowhere')).toMatchObject({ exit: 1, stderr: says(/^xr: LINK_ADDRESS: /m) })
    expect(performance.now() - began).toBeLessThan(9_000)
  })

  it('can be called off while it waits', async () => {
    const a = await withDemo()
    const sending = a.start(['migrate', 'demo', socket()])
    sending.child.stderr?.once('data', () => sending.child.kill('SIGTERM'))
    expect(await sending.end).toMatchObject({ code: 8, stderr: says(/TOOL_INTERRUPTED: migrate of demo was called off/) })
  })
})

describe('what happens meanwhile', () => {
  it('is told as lines of JSON: rounds, what is left, how fast the guest writes, links and fates', async () => {
    const [a, b, url] = [await withDemo('--workload', 'uniform'), host(), socket()]
    const receiving = b.on('receive', url, '--jsonl')
    await listening(url)
    const sent = await a.on('migrate', 'demo', url, '--jsonl')
    const eventsOf = ({ stdout }: { readonly stdout: string }) => stdout.trim().split('\n').map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    const [there, here] = [eventsOf(await receiving), eventsOf(sent)]
    expect(here).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ event: 'link.up', url }),
        expect.objectContaining({ event: 'save.pages', pass: 'live', round: 0, sent: expect.any(Number) as number, expected: expect.any(Number) as number, bytes: expect.any(Number) as number }),
        expect.objectContaining({ event: 'save.outlook', round: 1, dirtyRate: expect.any(Number) as number, sendRate: expect.any(Number) as number, pauseMs: expect.any(Number) as number }),
        expect.objectContaining({ event: 'guest.fate', guest: 'demo', side: 'source', fate: 'gone' }),
      ]),
    )
    expect([here.at(-1), there.at(-1)]).toMatchObject([{ event: 'operation.end', outcome: 'done' }, { event: 'operation.end', outcome: 'done' }])
    expect(there).toContainEqual(expect.objectContaining({ event: 'guest.fate', side: 'target', fate: 'runs' }))
  })

  it('is told as an error with --json when it fails', async () => {
    const a = await withDemo()
    const { exit, stdout } = await a.on('migrate', '--connect-timeout', '0', 'demo', socket(), '--json')
    expect([exit, JSON.parse(stdout)]).toMatchObject([5, { schema: 'xr.error/1', code: 'LINK_REFUSED', exit: 5 }])
  })
})

describe('a compression', () => {
  const here = Number(process.versions.node.split('.')[0]) >= 24 ? 'none, auto, zstd' : 'none, auto'

  it('that is not there is told with what is, before anybody is called: status 7', async () => {
    const a = await withDemo()
    for (const verb of [['migrate'], ['save', '--peer', 'xr']]) {
      expect(await a.on(...verb, '--compress', 'lz4', 'demo', 'tcp://127.0.0.1:9')).toMatchObject({ exit: 7, stderr: says(/^xr: SESSION_COMPRESSION: compression 'lz4' is not available\nhint: here there is: none, auto/m) })
    }
    expect((await a.on('send', '--compress', 'lz4', '--json', '/dev/null', 'tcp://127.0.0.1:9')).stdout).toContain(here)
    expect(await a.guests()).toEqual(['demo running'])
  })

  it.each(['auto', 'none'])('%s works everywhere', async (how) => {
    const [a, b, url] = [await withDemo(), host(), socket()]
    const receiving = b.on('receive', url)
    await listening(url)
    expect((await a.on('migrate', '--compress', how, 'demo', url)).exit).toBe(0)
    expect((await receiving).exit).toBe(0)
  })
})

describe('a guest whose name is taken on the other host', () => {
  const uuidOf = async (on: Host): Promise<string> => (JSON.parse((await on.on('list', '--json')).stdout) as { readonly domains: readonly { readonly uuid: string }[] }).domains[0]?.uuid ?? ''
  const moved = async (a: Host, b: Host, ...flags: readonly string[]) => {
    const url = socket()
    const receiving = b.on('receive', ...flags, url)
    await listening(url)
    return [await a.on('migrate', '--peer', flags.includes('--xl') ? 'xl' : 'xr', 'demo', url), await receiving] as const
  }

  /** A guest, and a copy of it on another host. */
  async function twins(): Promise<readonly [Host, Host]> {
    const [a, b, file] = [await withDemo(), host(), join(scratch(), 'demo.xl')]
    expect((await a.on('save', '-c', 'demo', file)).exit).toBe(0)
    expect((await b.on('restore', file)).exit).toBe(0)
    expect(await b.on('restore', file)).toMatchObject({ exit: 1, stderr: says(/BACKEND_NAME_TAKEN: .*\nhint: .*--name NAME/) })
    return [a, b]
  }

  it('by an older copy of it comes in beside that one, which is left alone; a warning says so', async () => {
    const [a, b] = await twins()
    const [sent, received] = await moved(a, b)
    expect([sent.exit, received]).toMatchObject([0, { exit: 0, stdout: says(/^demo--2 runs here, domain 2/), stderr: says(/xr: warning: a copy of demo is here already, with the same UUID; the one that comes is called demo--2\n/) }])
    expect([await a.guests(), await b.guests()]).toEqual([[], ['demo running', 'demo--2 running']])
    expect(await b.on('destroy', await uuidOf(b))).toMatchObject({ exit: 1, stderr: says(/TOOL_AMBIGUOUS: 2 guests have the UUID .*: demo \(1\), demo--2 \(2\)\nhint: give the name/) })
    expect((await b.on('destroy', 'demo--2')).exit).toBe(0)
  })

  it('by an older copy of it stays where it was with xl, which has no such rule', async () => {
    const [a, b] = await twins()
    const [sent, received] = await moved(a, b, '--xl')
    expect([sent.exit, received.exit, await a.guests(), await b.guests()]).toEqual([1, 1, ['demo running'], ['demo running']])
  })

  it('by another guest stays where it was, unless it is given another name', async () => {
    const [a, b] = [await withDemo(), host()]
    for (const name of ['other', 'demo']) expect((await b.on('create', name, '--memory', '4')).exit).toBe(0) // the UUID depends on the id
    expect((await b.on('destroy', 'other')).exit).toBe(0)
    const [sent, received] = await moved(a, b)
    expect([sent, received]).toMatchObject([{ exit: 1, stderr: says(/SESSION_GIVEN_BACK: .*BACKEND_NAME_TAKEN.*; demo runs on here/) }, { exit: 1, stderr: says(/BACKEND_NAME_TAKEN: there is a domain demo already.*\nhint: .*--name NAME/) }])
    expect([await a.guests(), await b.guests()]).toEqual([['demo running'], ['demo running']])
    expect((await moved(a, b, '--name', 'web')).map(({ exit }) => exit)).toEqual([0, 0])
    expect(await b.guests()).toEqual(['demo running', 'web running'])
  })

  it('cannot take a name that is taken because it was asked for', async () => {
    const [a, b] = await twins()
    const [sent, received] = await moved(a, b, '--name', 'demo')
    expect([sent.exit, received.exit, await a.guests()]).toEqual([1, 1, ['demo running']])
  })
})

describe('words that make no sense', () => {
  it.each([
    [['save', '--wait', '1s', 'demo', 'tcp://a:1'], /--wait has a meaning only between two xr/],
    [['save', '--peer', 'xr', 'demo', 'demo.xl'], /'demo\.xl' is no URL of another host/],
    [['receive', '--to', 'x', '--xl', 'tcp://a:1'], /--to and --xl exclude each other/],
    [['receive', '--to', 'x', '-p', 'tcp://a:1'], /--to and -p exclude each other/],
    [['migrate', '--connect-timeout', 'soon', 'demo', 'tcp://a:1'], /--connect-timeout: 'soon' is no time/],
  ])('%j', async (words, why) => {
    expect(await host().on(...words)).toMatchObject({ exit: 2, stderr: says(why) })
  })

  it('a guest sent to who wants an image, and the other way round, is told on both sides', async () => {
    const [a, url] = [await withDemo(), socket()]
    const receiving = host().on('receive', '--to', join(scratch(), 'x'), url)
    await listening(url)
    expect(await a.on('migrate', 'demo', url)).toMatchObject({ exit: 1, stderr: says(/SESSION_PEER_ABORTED: .*SESSION_ROLE/) })
    expect(await receiving).toMatchObject({ exit: 1, stderr: says(/SESSION_ROLE: the peer wants to migrate, this side is here to copy\nhint: .*--to/) })
    expect(await a.guests()).toEqual(['demo running'])
  })
})
