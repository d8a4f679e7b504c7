import { spawn, spawnSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStreamSink } from '../../src/io/stream-sink.ts'

let folder = ''
const fds: number[] = []
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'xr-sink-'))))
afterEach(() => {
  for (const fd of fds.splice(0)) closeSync(fd)
  rmSync(folder, { recursive: true })
})

const opened = (path: string, flags: number): number => {
  const fd = openSync(path, flags, 0o600)
  fds.push(fd)
  return fd
}
const fifo = (): string => {
  const path = join(folder, 'fifo')
  spawnSync('mkfifo', [path])
  return path
}
const parts = (count: number, size: number): Uint8Array[] => Array.from({ length: count }, (_, i) => new Uint8Array(size).fill(i + 1))
const joined = (list: readonly Uint8Array[]): Buffer => Buffer.concat(list)
const never = new AbortController().signal

describe('a stream into', () => {
  it('a file holds all of it, in order, more pieces than the system takes at once included', async () => {
    const path = join(folder, 'file')
    const sink = await openStreamSink(opened(path, constants.O_WRONLY | constants.O_CREAT), never)
    const many = parts(3000, 100)
    await sink.write(many)
    await sink.write([])
    await sink.write([new Uint8Array(0), ...parts(2, 70_000)])
    expect(readFileSync(path).equals(joined([...many, ...parts(2, 70_000)]))).toBe(true)
  })

  it('a full disk is refused', async () => {
    const sink = await openStreamSink(opened('/dev/full', constants.O_WRONLY), never)
    await expect(sink.write(parts(1, 4096))).rejects.toMatchObject({ code: 'HELPER_STREAM', message: expect.stringContaining('ENOSPC') as string })
  })

  it('nothing that is open is refused', async () => {
    await expect(openStreamSink(99_999, never)).rejects.toMatchObject({ code: 'HELPER_STREAM' })
  })

  it('a pipe comes out whole, however slowly it is read', async () => {
    const path = fifo()
    const both = opened(path, constants.O_RDWR) // keeps the pipe open until the reader is there
    const reader = spawn('sh', ['-c', `sleep 0.2; exec cat < ${path}`], { stdio: ['ignore', 'pipe', 'inherit'] })
    const got: Buffer[] = []
    reader.stdout.on('data', (bytes: Buffer) => got.push(bytes))
    const sink = await openStreamSink(both, never)
    const many = parts(40, 100_000)
    await sink.write(many)
    const whole = joined(many)
    while (Buffer.concat(got).length < whole.length) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(Buffer.concat(got).equals(whole)).toBe(true)
    reader.kill()
    await new Promise((resolve) => reader.once('close', resolve))
  })

  it('a pipe that nobody reads is given up when the save is called off', async () => {
    const stop = new AbortController()
    const sink = await openStreamSink(opened(fifo(), constants.O_RDWR), stop.signal)
    const writing = sink.write(parts(4, 100_000))
    setTimeout(() => stop.abort(), 20)
    await expect(writing).rejects.toMatchObject({ code: 'HELPER_STREAM' })
    await expect(sink.write(parts(1, 10))).rejects.toMatchObject({ code: 'HELPER_STREAM' })
  })
})
