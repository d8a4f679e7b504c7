import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collectPlugin } from '../fakes/collect-plugin.ts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockFirstByte } from '../../src/native/file-lock.ts'
import { loadKoffi, openLibrary, type Koffi } from '../../src/native/libraries.ts'
import { openPlatform, PRIVCMD } from '../../src/native/open-platform.ts'
import { xenPlugin } from '../../src/xen-plugin.ts'

/** Another process that locks the file with a call of its own and holds it until its input ends. */
const HOLD = `
const koffi = require('koffi')
const lock = Buffer.alloc(32)
lock.writeUInt16LE(1, 0)
lock.writeBigUInt64LE(1n, 16)
const fd = require('fs').openSync(process.argv[1], 'w')
const result = koffi.load('libc.so.6').func('int fcntl(int fd, int cmd, void *arg)')(fd, 6, lock)
console.log(result)
process.stdin.resume()
`

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'xr-test-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

describe('a machine that is no Xen control domain', () => {
  it.skipIf(existsSync(PRIVCMD))('is told apart, with what to do', async () => {
    const refusal = { code: 'BACKEND_UNSUPPORTED', hint: expect.stringContaining('xr doctor') as string }
    expect(() => openPlatform()).toThrow(expect.objectContaining(refusal))
    await expect(collectPlugin(xenPlugin).open({}, new AbortController().signal)).rejects.toMatchObject(refusal)
  })
})

describe('a library of Xen that is not installed', () => {
  it('is told with the package it comes in', () => {
    const koffi = { load: () => { throw new Error('cannot open shared object') } } as unknown as Koffi
    expect(() => openLibrary(koffi, 'xencall')).toThrow(expect.objectContaining({ code: 'BACKEND_UNSUPPORTED', hint: expect.stringContaining('libxencall1') as string }))
  })
})

describe('the lock that libxl takes to suspend a guest', () => {
  it('is held against other processes, until they are gone', async () => {
    const koffi = loadKoffi()
    const path = join(dir, 'lock')
    const other = spawn(process.execPath, ['-e', HOLD, path], { stdio: ['pipe', 'pipe', 'ignore'], cwd: import.meta.dirname })
    await once(other.stdout, 'data')
    const fd = openSync(path, 'w')
    expect(lockFirstByte(koffi, fd)).toBe(false)
    other.stdin.end()
    await once(other, 'close')
    expect(lockFirstByte(koffi, fd)).toBe(true)
    closeSync(fd)
  })
})
