import { openMockHost, type MockHost } from '@xen-replication/backend-mock'
import type { DomId } from '@xen-replication/hypervisor'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decodeMessage, messages, type Message } from '../src/protocol/message.ts'

// These run the program as built; the test task builds first.
const program = fileURLToPath(new URL('./mock-program.mjs', import.meta.url))
const bin = fileURLToPath(new URL('../bin/xr-save-helper.cjs', import.meta.url))
const SAVE = ['--save-domain', '3', '-1']

let folder = ''
let mock: MockHost
let domId = 0 as DomId
const children: ChildProcess[] = []
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'xr-helper-'))
  mock = await openMockHost(join(folder, 'host'))
  domId = await mock.createGuest({ name: 'guest', kind: 'hvm', memoryBytes: 8 << 20 })
  await mock.close() // its memory is the program's now
  mock = await openMockHost(join(folder, 'host'))
})
afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL')
  await mock.close()
  rmSync(folder, { recursive: true, maxRetries: 5 })
})

interface Run {
  readonly child: ChildProcess
  readonly heard: Message[]
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>
  readonly stream: Duplex
}

/** Starts the program as libxl does; `answer` tells what libxl replies, undefined: nothing more. */
function start(argv: readonly string[], stream: number | 'pipe', answer: (message: Message, run: Run) => number | undefined | Promise<number | undefined>): Run {
  const child = spawn(process.execPath, [program, ...argv], { stdio: ['pipe', 'pipe', 'inherit', stream], env: { ...process.env, MOCK_HOST: join(folder, 'host'), MOCK_TARGET: 'copy', MOCK_KIND: 'hvm' } })
  children.push(child)
  const heard: Message[] = []
  const run: Run = { child, heard, stream: child.stdio[3] as Duplex, ended: new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal }))) }
  let bytes = Buffer.alloc(0)
  child.stdin?.on('error', () => undefined)
  child.stdout?.on('data', (more: Buffer) => {
    bytes = Buffer.concat([bytes, more])
    while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16LE(0)) {
      const message = decodeMessage(bytes.subarray(2, 2 + bytes.readUInt16LE(0)))
      bytes = bytes.subarray(2 + bytes.readUInt16LE(0))
      heard.push(message)
      if (messages[message.name].answered === 'yes') void Promise.resolve(answer(message, run)).then((value) => value !== undefined && child.stdin?.write(Buffer.from(Int32Array.of(value).buffer)))
    }
  })
  return run
}

const saveWords = (flags: number): string[] => [...SAVE, String(domId), String(flags), '136', '0']
const libxl = async ({ name }: Message): Promise<number> => {
  if (name === 'suspend') await mock.lifecycle(domId).suspend()
  return name === 'suspend' ? 1 : 0
}

describe('the program', () => {
  it('saves to a file that it was given', async () => {
    const fd = openSync(join(folder, 'image'), 'w')
    const { ended, heard } = start(saveWords(0), fd, libxl)
    expect(await ended).toEqual({ code: 0, signal: null })
    expect(heard.at(-1)).toEqual({ name: 'complete', values: { result: 0, errno: 0 } })
    closeSync(fd)
    expect(statSync(join(folder, 'image')).size).toBeGreaterThan(8 << 20)
    expect(readFileSync(join(folder, 'image')).subarray(-8).equals(Buffer.alloc(8))).toBe(true) // END
  })

  it('saves to a socket, and restores from one, without reading on', async () => {
    const saving = start(saveWords(0), 'pipe', libxl)
    const image: Buffer[] = []
    saving.stream.on('data', (bytes: Buffer) => image.push(bytes))
    expect(await saving.ended).toEqual({ code: 0, signal: null })
    const restoring = start(['--restore-domain', '3', '-1', '9', '1', '0', '2', '0', '768', '0'], 'pipe', () => 0)
    restoring.stream.on('error', () => undefined)
    restoring.stream.write(Buffer.concat([...image, Buffer.from('what libxl writes behind it')]))
    expect(await restoring.ended).toEqual({ code: 0, signal: null })
    expect(restoring.heard.at(-1)).toEqual({ name: 'complete', values: { result: 0, errno: 0 } })
    expect((await mock.list()).map(({ name }) => name).sort()).toEqual(['copy', 'guest'])
  })

  it('is called off by SIGTERM although nobody reads the stream, and says so', async () => {
    const { ended, heard, child } = start(saveWords(1), 'pipe', libxl)
    await expect.poll(() => heard.some(({ name }) => name === 'progress'), { timeout: 20_000 }).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 300)) // long enough to fill the socket
    child.kill('SIGTERM')
    expect(await ended).toEqual({ code: 0, signal: null })
    expect(heard.at(-1)).toMatchObject({ name: 'complete', values: { result: -1 } })
    expect(heard.filter(({ name }) => name === 'switchQemuLogdirty').map(({ values }) => values)).toEqual([{ domId, enable: 1 }, { domId, enable: 0 }])
  })

  it('ends when libxl does, with the log of written pages switched off', async () => {
    const fd = openSync(join(folder, 'image'), 'w')
    const { ended } = start(saveWords(1), fd, (message, { child }) => {
      if (message.name !== 'suspend') return 0
      child.stdin?.end()
      return undefined
    })
    expect(await ended).toEqual({ code: 1, signal: null })
    closeSync(fd)
    expect(mock.leaks()).toEqual([])
  })

  it('is ended by SIGTERM in a restore, as Xen’s own', async () => {
    const { ended, heard, child } = start(['--restore-domain', '3', '-1', '9', '1', '0', '2', '0', '768', '0'], 'pipe', () => 0)
    await expect.poll(() => heard.length, { timeout: 20_000 }).toBeGreaterThan(0)
    child.kill('SIGTERM')
    expect(await ended).toEqual({ code: null, signal: 'SIGTERM' })
  })
})

describe('by itself', () => {
  const run = (...argv: string[]) => spawnSync(process.execPath, [bin, ...argv], { encoding: 'utf8' })

  it('it tells how it is used', () => expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('LIBXL_SAVE_HELPER=') as string }))
  it('it tells its version', () => expect(run('--version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^xr-save-helper \d+\.\d+\.\d+\n$/) as string }))
  it('it refuses what libxl would not say', () => {
    expect(run('--save-domain')).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/^xr-save-helper: HELPER_USAGE: .*\nhint: .*\n$/) as string })
  })
})
