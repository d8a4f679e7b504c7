import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lockHolder, tryLock, type Lock } from '../src/lock.ts'
import { emptyDirectory } from './empty-directory.ts'

const took = (lock: Lock | number): Lock => {
  if (typeof lock === 'number') throw new Error(`process ${lock} has it`)
  return lock
}
/** A number that no process has. */
const DEAD = 2 ** 22 + 7

describe('a lock', () => {
  it('is had by one at a time, who is known by the number of the process', () => {
    const dir = join(emptyDirectory(), 'lock')
    expect(lockHolder(dir)).toBeUndefined()
    const lock = took(tryLock(dir))
    expect(tryLock(dir)).toBe(process.pid)
    expect(lockHolder(dir)).toBe(process.pid)
    lock.release()
    expect(lockHolder(dir)).toBeUndefined()
    took(tryLock(dir)).release()
    expect(readdirSync(dir)).toEqual(['2'])
  })

  it('passes on when its process is dead, or another one has its number now', () => {
    const dir = emptyDirectory()
    writeFileSync(join(dir, '7'), `${DEAD} 123`)
    writeFileSync(join(dir, `t-${DEAD}-1`), 'left behind')
    const lock = took(tryLock(dir))
    expect(readdirSync(dir)).toEqual(['8'])
    lock.release()
    writeFileSync(join(dir, '9'), `${process.pid} 1`) // began at another time
    expect(lockHolder(dir)).toBeUndefined()
    took(tryLock(dir))
    expect(readdirSync(dir)).toEqual(['10'])
  })

  it('counts as free when what stands there makes no sense', () => {
    const dir = emptyDirectory()
    writeFileSync(join(dir, '3'), '')
    took(tryLock(dir)).release()
    expect(readdirSync(dir)).toEqual(['4'])
  })

  it('of a process that one may not signal is held', () => {
    const dir = emptyDirectory()
    writeFileSync(join(dir, '1'), '1 ')
    expect(tryLock(dir)).toBe(1)
  })

  it('is released without harm when its directory is gone', () => {
    const dir = join(emptyDirectory(), 'lock')
    const lock = took(tryLock(dir))
    rmSync(dir, { recursive: true })
    lock.release()
    expect(lockHolder(dir)).toBeUndefined()
  })

  it('fails when its directory cannot be made', () => {
    const file = join(emptyDirectory(), 'file')
    writeFileSync(file, '')
    expect(() => tryLock(join(file, 'lock'))).toThrow()
    mkdirSync(`${file}s`)
  })
})
