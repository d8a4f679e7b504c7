import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseBridgeArgs } from '../../src/xl/bridge-messages.ts'
import { Bridge } from '../../src/xl/bridge.ts'
import { Fifo } from '../../src/xl/fifo.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'xr-test-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

describe('a named pipe', () => {
  it('carries more than fits into it to somebody who opens it later, and ends when closed', async () => {
    const path = join(dir, 'pipe')
    execFileSync('mkfifo', [path])
    const fifo = Fifo.open(path, 'to-write')
    const all = Buffer.alloc(1 << 20, 7)
    const written = fifo.write(all)
    const reader = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] })
    let got = 0
    reader.stdout.on('data', (bytes: Buffer) => (got += bytes.length))
    await written
    fifo.close()
    fifo.close()
    await once(reader, 'close')
    expect(got).toBe(all.length)
    await expect(fifo.write(all)).rejects.toThrow('closed')
  })

  it('gives what came in parts that the reader finds whole', async () => {
    const path = join(dir, 'pipe')
    execFileSync('mkfifo', [path])
    const fifo = Fifo.open(path, 'to-read')
    writeFileSync(path, 'one\ntw')
    const line = (all: Buffer): number | undefined => (all.includes(10) ? all.indexOf(10) + 1 : undefined)
    expect((await fifo.read(line)).toString()).toBe('one\n')
    const second = fifo.read(line)
    writeFileSync(path, 'o\n')
    expect((await second).toString()).toBe('two\n')
    const never = fifo.read(line)
    fifo.close()
    await expect(never).rejects.toThrow('closed')
  })
})

describe('the restorer that libxl runs for us', () => {
  it.each([
    ['as soon as it has said who it is', 'after'],
    ['before it has begun', 'before'],
  ] as const)('ends without a word when its line is cut %s, so that libxl ends the domain', async (_, when) => {
    for (let times = 0; times < 10; times++) {
      const bridge = await Bridge.open(dir)
      if (when === 'before') bridge.hangUp()
      const helper = spawn(bridge.program, ['--restore-domain', '7', '-1', '5', '1', '0', '2', '0', '0', '0'], { stdio: ['pipe', 'pipe', 'inherit'] })
      const closed = once(helper, 'close')
      let said = ''
      helper.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()))
      expect((await bridge.args()).domId).toBe(5)
      bridge.hangUp()
      expect([(await closed)[0], said]).toEqual([0, ''])
      await bridge.close()
    }
  })

  it('leaves nobody behind when this process is gone, with its pipes', async () => {
    const bridge = await Bridge.open(dir)
    const { program } = bridge
    const copy = join(dir, 'copy')
    execFileSync('cp', ['-r', dirname(program), copy])
    const helper = spawn(join(copy, 'restorer'), ['--restore-domain', '7'], { stdio: ['pipe', 'pipe', 'inherit'] })
    expect((await once(helper, 'close'))[0]).toBe(0)
    await bridge.close()
    const holders = (): string => execFileSync('sh', ['-c', `ls -l /proc/[0-9]*/fd 2>/dev/null | grep -F '${copy}' || true`], { encoding: 'utf8' })
    for (let looks = 0; looks < 100 && holders() !== ''; looks++) await new Promise((resolve) => setTimeout(resolve, 100))
    expect(holders()).toBe('')
  })

  it('needs a folder to put its pipes into', async () => {
    await expect(Bridge.open(join(dir, 'none'))).rejects.toMatchObject({ code: 'BACKEND_HOST' })
  })

  it.each(['', '--save-domain 7 -1 5 0 0 0', '--restore-domain 7 -1', '--restore-domain 7 -1 5 1 0 2 0 x 0'])('is told that it does not know what is asked for with: %s', (line) => {
    expect(() => parseBridgeArgs(line)).toThrow(expect.objectContaining({ code: 'BACKEND_HOST' }))
  })
})
