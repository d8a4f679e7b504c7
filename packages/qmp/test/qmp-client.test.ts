import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Clock } from '@xen-replication/hypervisor'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openQmp, type Qmp } from '../src/qmp-client.ts'

const clock: Clock = { now: () => performance.now(), sleep: (ms, signal) => setTimeout(ms, undefined, { signal: signal as AbortSignal }) }
const GREETING = '{"QMP":{"version":{"qemu":{"micro":22,"minor":2,"major":7},"package":""},"capabilities":["oob"]}}\r\n'

type Asked = { readonly execute: string; readonly arguments?: object; readonly id: number }

/** A monitor that greets and answers as `answer` says; nothing where that is undefined. */
async function monitor(answer: (asked: Asked) => string | undefined, greeting = GREETING): Promise<{ readonly path: string; readonly say: (text: string) => void; readonly hangUp: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'xr-qmp-'))
  const path = join(folder, 'qmp')
  const links: Socket[] = []
  const server = createServer((socket) => {
    links.push(socket)
    socket.on('error', () => undefined)
    socket.write(greeting)
    socket.on('data', (bytes) => {
      for (const line of bytes.toString().split('\n').filter((text) => text !== '')) socket.write(answer(JSON.parse(line) as Asked) ?? '')
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  onTestFinished(() => {
    links.forEach((link) => link.destroy())
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { path, say: (text) => links.forEach((link) => link.write(text)), hangUp: () => links.forEach((link) => link.destroy()) }
}

const empty = ({ id }: Asked): string => `{"return":{},"id":${id}}\r\n`

async function opened(path: string, answerMs = 5000): Promise<Qmp> {
  const qemu = await openQmp(path, { clock, answerMs })
  onTestFinished(() => qemu.close())
  return qemu
}

describe('a QEMU', () => {
  it('answers each command, in whatever order', async () => {
    const held: string[] = []
    const { path } = await monitor(({ execute, id }) => {
      if (execute === 'qmp_capabilities') return empty({ execute, id })
      held.unshift(`{"id":${id},"return":"${execute}"}\r\n`)
      return held.length === 2 ? held.join('') : undefined
    })
    const qemu = await opened(path)
    expect(await Promise.all([qemu.execute('first'), qemu.execute('second', { a: 1 })])).toEqual(['first', 'second'])
  })

  it('says why it refuses', async () => {
    const { path } = await monitor((asked) => (asked.execute === 'qmp_capabilities' ? empty(asked) : `{"error":{"class":"CommandNotFound","desc":"no such command"},"id":${asked.id}}\r\n`))
    await expect((await opened(path)).execute('dance')).rejects.toMatchObject({ code: 'QMP_REFUSED', errorClass: 'CommandNotFound', message: expect.stringContaining('dance: no such command') as string })
  })

  it('tells of events, in pieces or between answers, until nobody listens', async () => {
    const { path, say } = await monitor(empty)
    const qemu = await opened(path)
    const seen: string[] = []
    const stop = qemu.onEvent(({ name, data }) => void seen.push(`${name} ${JSON.stringify(data)}`))
    say('{"timestamp":{},"event":"STOP"}\r\n{"event":"MIGRA')
    await qemu.execute('query-status').catch(() => undefined)
    say('TION","data":{"status":"colo"}}\r\n')
    while (seen.length < 1) await setTimeout(5)
    stop()
    say('{"event":"RESUME"}\r\n')
    await setTimeout(30)
    expect(seen.at(0)).toBe('STOP {}')
    expect(seen).not.toContain('RESUME {}')
  })

  it('that is stuck is given up after a time, and its late answer is not taken for another', async () => {
    let asked = 0
    const { path, say } = await monitor((one) => (asked++ === 1 ? undefined : empty(one)))
    const qemu = await opened(path, 100)
    await expect(qemu.execute('query-status')).rejects.toMatchObject({ code: 'QMP_TIMEOUT' })
    say('{"return":"late","id":2}\r\n')
    expect(await qemu.execute('query-status')).toEqual({})
  })

  it('that ends while it is asked fails what was asked', async () => {
    const { path, hangUp } = await monitor((one) => (one.execute === 'qmp_capabilities' ? empty(one) : undefined))
    const qemu = await opened(path)
    const asked = qemu.execute('migrate')
    setImmediate(hangUp)
    await expect(asked).rejects.toMatchObject({ code: 'QMP_LOST' })
    expect((await qemu.gone).code).toBe('QMP_LOST')
    await expect(qemu.execute('again')).rejects.toMatchObject({ code: 'QMP_LOST' })
  })

  it('is not asked any more once the link is closed', async () => {
    const { path } = await monitor(empty)
    const qemu = await opened(path)
    qemu.close()
    await expect(qemu.execute('migrate')).rejects.toMatchObject({ code: 'QMP_CLOSED' })
  })

  it.each([
    ['nonsense', 'QEMU 7.2 monitor\n'],
    ['a list', '[]\n'],
    ['something else', '{"hello":1}\n'],
    ['an endless line', 'x'.repeat(16 * 1024 * 1024 + 1)],
  ])('is none when it greets with %s', async (_, greeting) => {
    const { path } = await monitor(empty, greeting)
    await expect(openQmp(path, { clock })).rejects.toMatchObject({ code: 'QMP_MALFORMED' })
  })

  it('cannot be found where nobody listens', async () => {
    await expect(openQmp('/nowhere/qmp', { clock })).rejects.toMatchObject({ code: 'QMP_LOST' })
    await expect(openQmp({ host: '127.0.0.1', port: 1 }, { clock })).rejects.toMatchObject({ code: 'QMP_LOST' })
  })

  it('that does not greet is given up', async () => {
    const { path } = await monitor(empty, '')
    await expect(openQmp(path, { clock, answerMs: 50 })).rejects.toMatchObject({ code: 'QMP_TIMEOUT' })
  })
})
