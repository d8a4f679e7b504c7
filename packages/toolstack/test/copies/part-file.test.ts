import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PartFile } from '../../src/copies/part-file.ts'
import { folderOf } from '../scratch.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('a part of an image', () => {
  it('becomes the image when it is whole, and nothing else is left', async () => {
    const folder = folderOf()
    const part = new PartFile(join(folder, 'demo.xl'))
    expect(await part.open(0)).toBe(0)
    await part.append(bytes('one '))
    await part.note('{"at":4}')
    await part.append(bytes('two'))
    await part.finish()
    expect(readFileSync(join(folder, 'demo.xl'), 'utf8')).toBe('one two')
    expect(readdirSync(folder)).toEqual(['demo.xl'])
  })

  it('is gone on with where it was noted, whatever came after', async () => {
    const folder = folderOf({ 'demo.xl.part': 'one two three', 'demo.xl.part.json': 'noted' })
    const part = new PartFile(join(folder, 'demo.xl'))
    expect(await part.notes()).toBe('noted')
    expect(await part.open(4)).toBe(4)
    expect(new TextDecoder().decode(await part.read(0, 99))).toBe('one ')
    expect(await part.read(4, 99)).toBeUndefined()
    await part.append(bytes('2'))
    await part.finish()
    expect(readFileSync(join(folder, 'demo.xl'), 'utf8')).toBe('one 2')
  })

  it('is nobody else’s to read, notes included', async () => {
    const folder = folderOf()
    const part = new PartFile(join(folder, 'demo.xl'))
    await part.open(0)
    await part.note('key')
    await part.close()
    expect(readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mode & 0o777])).toEqual([['demo.xl.part', 0o600], ['demo.xl.part.json', 0o600]])
  })

  it('says how much there is when less is left than was noted', async () => {
    const folder = folderOf({ 'demo.xl.part': 'one' })
    const part = new PartFile(join(folder, 'demo.xl'))
    expect(await part.open(100)).toBe(3)
    await part.close()
    rmSync(join(folder, 'demo.xl.part'))
    expect(await part.open(100)).toBe(0)
    await part.close()
  })

  it('that nobody may go on with is removed', async () => {
    const folder = folderOf({ 'demo.xl': 'old', 'demo.xl.part': 'one', 'demo.xl.part.json': '{}' })
    await new PartFile(join(folder, 'demo.xl')).forget()
    expect(readdirSync(folder)).toEqual(['demo.xl'])
  })

  it('fails as the disk says', async () => {
    const folder = folderOf({ file: '' })
    await expect(new PartFile(join(folder, 'no', 'x')).open(0)).rejects.toThrow('ENOENT')
    await expect(new PartFile(join(folder, 'file', 'x')).notes()).rejects.toThrow('ENOTDIR')
    await expect(new PartFile(join(folder, 'x')).append(bytes('y'))).rejects.toThrow('not open')
    expect(existsSync(join(folder, 'x.part'))).toBe(false)
  })
})
