import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startGuard } from '../../src/guard/start-guard.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'xr-test-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

/** A guard that writes down what it heard, its descriptors and its session when whom it guards is gone. */
function program(): string {
  const file = join(dir, 'guard.cjs')
  const text = `const fs = require('fs')
    const open = fs.readdirSync('/proc/self/fd').map((fd) => { try { return fs.readlinkSync('/proc/self/fd/' + fd) } catch { return '' } })
    fs.writeFileSync(${JSON.stringify(join(dir, 'open'))}, JSON.stringify(open))
    const heard = fs.readFileSync(0, 'utf8')
    fs.writeFileSync(${JSON.stringify(join(dir, 'part'))}, process.argv[2] + ' ' + heard)
    fs.renameSync(${JSON.stringify(join(dir, 'part'))}, ${JSON.stringify(join(dir, 'heard'))})`
  writeFileSync(file, text)
  return file
}

/** What the descriptors of a process lead to. */
function linksOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
    } catch {
      return [] // the one that the folder was read with
    }
  })
}

const read = (name: string): string => readFileSync(join(dir, name), 'utf8')
const heard = (): Promise<string> => vi.waitFor(() => read('heard'), { timeout: 30_000, interval: 50 })

describe('the process of a guard', () => {
  it('hears everything, and the end', async () => {
    const guard = await startGuard(7, program())
    guard.tell(1)
    guard.tell(3)
    guard.tell(0)
    guard.end()
    expect(await heard()).toBe('7 130')
  })

  it('keeps no pipe of whom it guards open', async () => {
    const other = spawn('cat', [], { stdio: ['pipe', 'ignore', 'ignore'] })
    const guard = await startGuard(7, program())
    await vi.waitFor(() => read('open'), { timeout: 30_000, interval: 50 })
    other.stdin.end()
    await once(other, 'close') // it read to the end of its input, although the guard is there
    guard.end()
    await heard()
    const mine = new Set(linksOf(process.pid).filter((path) => /^(?:pipe|socket):/.test(path)))
    expect(mine.size).toBeGreaterThan(0)
    expect((JSON.parse(read('open')) as string[]).filter((path) => mine.has(path))).toEqual([])
  })

  it('may fail to start, which is nobody else’s trouble', async () => {
    const guard = await startGuard(7, join(dir, 'no-such-program.cjs'))
    expect(() => guard.tell(1)).not.toThrow()
    expect(() => guard.end()).not.toThrow()
  })
})
