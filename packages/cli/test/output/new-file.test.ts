import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createFile } from '../../src/output/new-file.ts'
import { scratch } from '../run-xr.ts'

describe('a file in the making', () => {
  it('has its name only when it is whole', () => {
    const folder = scratch()
    const path = join(folder, 'out')
    const file = createFile(path)
    file.write(Buffer.from('one '))
    file.write(Buffer.from('two'))
    expect(readdirSync(folder)).not.toContain('out')
    file.commit()
    file.discard()
    expect(readdirSync(folder)).toEqual(['out'])
    expect(readFileSync(path, 'utf8')).toBe('one two')
  })

  it('leaves nothing when it is discarded', () => {
    const folder = scratch()
    const file = createFile(join(folder, 'out'))
    file.write(Buffer.from('half'))
    file.discard()
    file.discard()
    expect(readdirSync(folder)).toEqual([])
  })

  it('does not take the place of another unless told so', () => {
    const path = join(scratch(), 'out')
    writeFileSync(path, 'old')
    expect(() => createFile(path)).toThrow(expect.objectContaining({ code: 'CLI_FILE_EXISTS' }) as Error)
    const file = createFile(path, { force: true })
    file.write(Buffer.from('new'))
    file.commit()
    expect(readFileSync(path, 'utf8')).toBe('new')
  })

  it('needs a folder to be in, and no folder in its place', () => {
    const folder = scratch()
    expect(() => createFile(join(folder, 'no', 'out'))).toThrow(expect.objectContaining({ code: 'CLI_FILE_NOT_FOUND' }) as Error)
    const path = join(folder, 'd')
    mkdirSync(path)
    const file = createFile(path, { force: true })
    expect(() => file.commit()).toThrow(expect.objectContaining({ code: 'CLI_NOT_A_FILE' }) as Error)
    file.discard()
    expect(readdirSync(folder)).toEqual(['d'])
  })
})
