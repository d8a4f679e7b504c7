import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fileOf, scratch, xr, xrJson, type Ran } from './run-xr.ts'

/** What a real QEMU 7.2 said to its COLO secondary, until it was killed. */
const recorded = new Uint8Array(gunzipSync(readFileSync(new URL('../../format/vectors/qemu/rom-killed-primary.p2s.gz', import.meta.url))))
const SECOND = 1_115_338
const ANSWERS = Uint8Array.from([0, 2, 5, 6, 2, 5, 6, 2].flatMap((word) => [0, 0, 0, word]))

const on = (folder: string, ...args: readonly string[]): Promise<Ran> => xr(['--mock-host', join(folder, 'host'), ...args])

async function until(so: () => boolean): Promise<void> {
  for (const end = performance.now() + 30_000; !so(); ) {
    if (performance.now() > end) throw new Error('it took too long')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

describe('xr show', () => {
  it('tells what a COLO primary said', async () => {
    const { exit, stdout } = await xr(['show', fileOf(recorded)])
    expect(exit).toBe(0)
    expect(stdout).toMatch(/QEMU migration stream of a COLO primary\n/)
    expect(stdout).toMatch(/machine +pc-i440fx-7\.2\n/)
    expect(stdout).toMatch(/checkpoints +\d+ complete.*; [\d,]+ pages, .* of device state\n/)
    const { document } = await xrJson('show', fileOf(recorded.subarray(0, SECOND)))
    expect(document).toMatchObject({ schema: 'xr.show/1', format: 'qemu', side: 'primary', machine: 'pc-i440fx-7.2', colo: true, complete: true, checkpoints: { complete: 1, partial: false, pages: 64, devicesBytes: 12_925 } })
  })

  it('tells what a COLO secondary answered', async () => {
    const { stdout } = await xr(['show', fileOf(ANSWERS)])
    expect(stdout).toMatch(/answers of a COLO secondary\n/)
    expect(stdout).toMatch(/checkpoints +2 complete, then a partial one\n/)
    expect((await xrJson('show', fileOf(ANSWERS.subarray(0, 4)))).document).toMatchObject({ side: 'secondary', checkpoints: { complete: 0, partial: false } })
  })

  it('tells where a cut one ends', async () => {
    const { exit, stdout } = await xr(['show', fileOf(recorded.subarray(0, 500_000))])
    expect([exit, stdout]).toEqual([0, expect.stringMatching(/ends +FMT_TRUNCATED .*byte 500000/)])
  })
})

describe('xr records', () => {
  it('lists messages, sections and devices with their places', async () => {
    const { exit, stdout } = await xr(['records', fileOf(recorded.subarray(0, SECOND))])
    expect(exit).toBe(0)
    for (const name of ['header', 'configuration', 'start ram', 'command enable-colo', 'full timer', 'description', 'checkpoint-request', 'vmstate-send', 'end ram', 'vmstate-size', 'devices']) expect(stdout).toContain(name)
    expect(stdout).toMatch(/839711 .*checkpoint-request/)
    const rows = (await xr(['records', '--jsonl', fileOf(ANSWERS)])).stdout.trim().split('\n').map((line) => JSON.parse(line) as { name?: string; offset?: number })
    expect(rows.flatMap(({ name, offset }) => (name === undefined ? [] : [[name, offset]])).slice(0, 3)).toEqual([['checkpoint-ready', 0], ['checkpoint-reply', 4], ['vmstate-received', 8]])
  })
})

describe('xr verify', () => {
  it('accepts a recording for QEMU, and for nobody else', async () => {
    const { exit, document } = await xrJson('verify', fileOf(recorded.subarray(0, SECOND)))
    expect([exit, document]).toMatchObject([0, { files: [{ format: 'qemu', streamType: 'colo', checkpoints: 1, verdict: { strict: 'accept', xen: 'reject', verifier: 'reject' } }] }])
  })

  it('warns of a checkpoint that was cut, and refuses a stream that was', async () => {
    expect((await xrJson('verify', fileOf(recorded.subarray(0, SECOND + 1000)))).document).toMatchObject({ files: [{ verdict: { strict: 'accept' }, findings: [{ code: 'FMT_TRUNCATED', severity: 'warning', hint: 'checkpoint 1 is complete' }, { code: 'QEMU_NOT_XEN' }] }] })
    const { exit, document } = await xrJson('verify', fileOf(recorded.subarray(0, 400_000)))
    expect([exit, document]).toMatchObject([3, { files: [{ verdict: { strict: 'reject' }, findings: [{ code: 'FMT_TRUNCATED', severity: 'error' }, {}] }] }])
  })
})

describe('a backup, a recorder and a replay', () => {
  it('work together: what was replayed is recorded, kept, and can be replayed again', async () => {
    const folder = scratch()
    const [near, far, again] = ['near', 'far', 'again'].map((name) => `unix:${join(folder, name)}`) as [string, string, string]
    const [store, store2, pair] = [join(folder, 'store'), join(folder, 'store2'), join(folder, 'pair')]
    const backup = on(folder, 'qemu-backup', '--listen', far, '--store', store, '--json')
    const record = on(folder, 'qemu-record', '--listen', near, '--to', far, '--capture', pair, '--json')
    await until(() => existsSync(join(folder, 'near')) && existsSync(join(folder, 'far')))
    const replay = await on(folder, 'qemu-replay', fileOf(recorded, folder), near, '--checkpoints', '3', '-i', '1ms')
    expect(replay).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^3 checkpoints loaded by the secondary, .* each; it waits for x-colo-lost-heartbeat\n$/) as string })
    expect(JSON.parse((await record).stdout)).toMatchObject({ schema: 'xr.qemu-record/1', files: { p2s: `${pair}.p2s` }, bytes: { s2p: 40 } })
    expect(JSON.parse((await backup).stdout)).toMatchObject({ schema: 'xr.qemu-backup/1', checkpoint: 3 })
    const said = readFileSync(`${pair}.p2s`)
    expect(Buffer.compare(said, recorded.subarray(0, said.length))).toBe(0)
    const second = on(folder, 'qemu-backup', '--listen', again, '--store', store2, '-v')
    await until(() => existsSync(join(folder, 'again')))
    const lines = (await on(folder, 'qemu-replay', store, again, '--checkpoints', '2', '--interval', '1ms', '--jsonl')).stdout.trim().split('\n').map((line) => JSON.parse(line) as { event: string })
    expect(lines.filter(({ event }) => event === 'qemu.checkpoint').length).toBe(2)
    expect(await second).toMatchObject({ exit: 0, stdout: expect.stringContaining('checkpoint 2 is kept') as string, stderr: expect.stringMatching(/pc-i440fx-7\.2 with .* of memory is here/) as string })
    expect(await on(folder, 'qemu-record', '--listen', near, '--to', far, '--capture', pair)).toMatchObject({ exit: 1, stderr: expect.stringContaining('QEMU_CAPTURE') as string })
  })

  it('tell what is missing, and what is wrong with what is there', async () => {
    const folder = scratch()
    expect(await on(folder, 'qemu-backup', '--listen', 'unix:x')).toMatchObject({ exit: 2, stderr: expect.stringContaining('--listen and --store are needed') as string })
    expect(await on(folder, 'qemu-backup', '--listen', 'unix:x', '--store', 'y', '--durability', 'hope')).toMatchObject({ exit: 2, stderr: expect.stringContaining('neither power nor process') as string })
    expect(await on(folder, 'qemu-record', '--listen', 'unix:x')).toMatchObject({ exit: 2 })
    expect(await on(folder, 'qemu-replay', join(folder, 'nothing'), 'unix:x')).toMatchObject({ exit: 1, stderr: expect.stringContaining('QEMU_CAPTURE') as string })
    expect(await on(folder, 'qemu-replay', fileOf(ANSWERS, folder), 'unix:x')).toMatchObject({ exit: 1, stderr: expect.stringContaining('is not what a COLO primary said') as string })
    expect(await on(folder, 'qemu-replay', fileOf(recorded, folder), 'unix:x', '--checkpoints', 'many')).toMatchObject({ exit: 2 })
    expect(await on(folder, 'qemu-restore', folder, '--', 'true')).toMatchObject({ exit: 1, stderr: expect.stringContaining('QEMU_STORE_EMPTY') as string })
    expect(await on(folder, 'qemu-restore', folder, '--json', '--', 'true')).toMatchObject({ exit: 2 })
    expect(await on(folder, 'qemu-restore', folder)).toMatchObject({ exit: 2 })
  })
})

describe('xr qemu-restore', () => {
  it('gives the state to the command, and ends as it does', async () => {
    const folder = scratch()
    const [link, store] = [`unix:${join(folder, 'link')}`, join(folder, 'store')]
    const backup = on(folder, 'qemu-backup', '--listen', link, '--store', store)
    await until(() => existsSync(join(folder, 'link')))
    await on(folder, 'qemu-replay', fileOf(recorded, folder), link, '--checkpoints', '1')
    await backup
    const got = join(folder, 'got')
    expect(await on(folder, 'qemu-restore', store, '--', 'sh', '-c', `cat <&3 >'${got}'`)).toMatchObject({ exit: 0, stderr: expect.stringMatching(/QEMU goes on from checkpoint 1 of 20\d\d-.*Z, as process/) as string })
    expect((await xrJson('show', got)).document).toMatchObject({ machine: 'pc-i440fx-7.2', colo: false, complete: true })
    expect((await on(folder, 'qemu-restore', store, '-q', '--', 'sh', '-c', 'cat <&3 >/dev/null; exit 3')).exit).toBe(1)
    expect(await on(folder, 'qemu-restore', store, '--', 'sh', '-c', 'exit 1')).toMatchObject({ exit: 1, stderr: expect.stringContaining('QEMU_START') as string })
    expect(await on(folder, 'qemu-restore', store, '--', join(folder, 'no-such-program'))).toMatchObject({ exit: 1, stderr: expect.stringContaining('could not be started') as string })
  })
})

/** Monitors that answer every command; `running` and out of COLO. */
async function monitor(path: string, answers: Readonly<Record<string, unknown>>, asked: string[] = []): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.write('{"QMP":{"version":{},"capabilities":[]}}\r\n')
    socket.on('data', (bytes) => {
      for (const line of bytes.toString().split('\n').filter((text) => text !== '')) {
        const { execute, id } = JSON.parse(line) as { execute: string; id: number }
        asked.push(execute)
        socket.write(`${JSON.stringify({ return: answers[execute] ?? {}, id })}\r\n`)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  onTestFinished(() => void server.close())
  return server
}

describe('xr qemu-colo', () => {
  it.each<[readonly string[], string]>([
    [[], '--primary, --secondary and --link are needed'],
    [['--link', 'nowhere'], "--link: 'nowhere' is no place to listen at"],
    [['--link', 'tcp://h:99999'], 'is no place to listen at'],
    [['--link', 'unix:l', '--primary', 'unix:p'], '--primary, --secondary and --link are needed'],
    [['--link', 'unix:l', '--netdev', 'hn0'], '--netdev, --mirror and --compare go together'],
    [['--link', 'unix:l', '--disk', 'a=b'], '--disk and --nbd go together'],
    [['--link', 'unix:l', '--disk', 'a', '--nbd', 'unix:n'], "--disk: 'a' is not QUORUM=NODE"],
    [['--link', 'unix:l', '--heartbeat', '1s', '--failure-timeout', '1s'], '--failure-timeout is at least two heartbeats'],
    [['--link', 'unix:l', '--primary', 'unix:p', '--secondary', 'unix:s', '--arbiter', 'x:', '--unsafe-no-arbiter'], 'an arbiter was named'],
  ])('with %j tells what is wrong', async (options, words) => {
    expect(await on(scratch(), 'qemu-colo', ...options)).toMatchObject({ exit: 2, stderr: expect.stringContaining(words) as string })
  })

  it('needs QEMUs that answer, a guest that runs, and an arbiter that is known', async () => {
    const folder = scratch()
    mkdirSync(join(folder, 'q'))
    const at = (name: string): string => `unix:${join(folder, 'q', name)}`
    const options = ['--primary', at('p'), '--secondary', at('s'), '--link', at('l')]
    expect(await on(folder, 'qemu-colo', ...options)).toMatchObject({ exit: 1, stderr: expect.stringContaining('QMP_LOST') as string })
    await monitor(join(folder, 'q/p'), { 'query-uuid': { UUID: '00000000-0000-0000-0000-000000000000' }, 'query-status': { status: 'paused' } })
    await monitor(join(folder, 'q/s'), {})
    expect(await on(folder, 'qemu-colo', ...options)).toMatchObject({ exit: 1, stderr: expect.stringContaining('QEMU_PAIR: the primary is paused') as string })
    expect(await on(folder, 'qemu-colo', ...options, '--arbiter', 'oracle:x')).toMatchObject({ exit: 2, stderr: expect.stringContaining('the guest has no UUID') as string })
    expect((await on(folder, 'qemu-colo', ...options, '--arbiter', 'oracle:x', '--guest', '1')).stderr).toContain('PLUGIN_NO_ARBITER')
  })
})
