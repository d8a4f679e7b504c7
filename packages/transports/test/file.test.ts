import { finish, type Channel } from '@xen-replication/plugin-api'
import { fdTransport, fileTransport } from '@xen-replication/transports'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, fstatSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { never, tempDir, type TempDir } from './temp-dir.ts'

const file = fileTransport()
const fd = fdTransport()
const bytes = (text: string): Uint8Array => Buffer.from(text)
let dir: TempDir
beforeEach(() => {
  dir = tempDir()
})
afterEach(() => dir.remove())

const write = (name: string): Promise<Channel> => file.dial(`file:${dir.path(name)}`, never())
const names = (): string[] => readdirSync(dirname(dir.path('x')))

describe('writing a file', () => {
  it('leaves the old one in place until the new one is complete', async () => {
    writeFileSync(dir.path('image'), 'old')
    const channel = await write('image')
    await channel.write([bytes('new')])
    expect(readFileSync(dir.path('image'), 'utf8')).toBe('old')
    await channel.end()
    await channel.close()
    expect(readFileSync(dir.path('image'), 'utf8')).toBe('new')
    expect(names()).toEqual(['image'])
  })

  it('leaves nothing, and the old one untouched, when it is broken off', async () => {
    writeFileSync(dir.path('image'), 'old')
    const channel = await write('image')
    await channel.write([bytes('new')])
    await channel.close()
    expect(readFileSync(dir.path('image'), 'utf8')).toBe('old')
    expect(names()).toEqual(['image'])
  })

  it('makes files that only their owner can read, and keeps the mode of those that were there', async () => {
    writeFileSync(dir.path('open'), '')
    chmodSync(dir.path('open'), 0o644)
    for (const name of ['open', 'new']) {
      const channel = await write(name)
      await finish(channel)
      await channel.close()
    }
    expect([statSync(dir.path('open')).mode & 0o777, statSync(dir.path('new')).mode & 0o777]).toEqual([0o644, 0o600])
  })

  it('through a link replaces what the link leads to', async () => {
    mkdirSync(dir.path('store'))
    writeFileSync(dir.path('store/image'), 'old')
    symlinkSync('store/image', dir.path('link'))
    const channel = await write('link')
    await channel.write([bytes('new')])
    await channel.end()
    expect(lstatSync(dir.path('link')).isSymbolicLink()).toBe(true)
    expect(readFileSync(dir.path('store/image'), 'utf8')).toBe('new')
  })

  it('does not replace devices', async () => {
    const channel = await file.dial('file:/dev/null', never())
    await channel.write([bytes('gone')])
    await channel.end()
    await channel.close()
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true)
  })

  it('says when the disk is full, and takes nothing more', async () => {
    const channel = await file.dial('file:/dev/full', never())
    await expect(channel.write([bytes('x')])).rejects.toMatchObject({ code: 'LINK_IO', message: 'file:/dev/full: no space is left' })
    await expect(channel.write([bytes('x')])).rejects.toMatchObject({ code: 'LINK_IO' })
    await expect(channel.end()).rejects.toMatchObject({ code: 'LINK_IO' })
    await channel.close()
  })

  it('cannot be read, and what is read cannot be written', async () => {
    const channel = await write('image')
    await expect(channel.read(1)).rejects.toMatchObject({ code: 'LINK_ONE_WAY' })
    await channel.end()
    await channel.close()
    const reader = await (await file.listen(`file:${dir.path('image')}`, never())).accept(never())
    await expect(reader.write([])).rejects.toMatchObject({ code: 'LINK_ONE_WAY' })
    await reader.end()
    await reader.close()
    await reader.close()
  })

  it.each([['.', 'this is a folder'], ['no/image', 'it does not exist']])('at %s is refused', async (name, message) => {
    await expect(write(name)).rejects.toMatchObject({ code: 'LINK_ADDRESS', message: expect.stringContaining(message) as string })
    await expect(file.listen(`file:${dir.path(name)}`, never())).rejects.toMatchObject({ code: 'LINK_ADDRESS' })
  })

  it('is not begun when it was called off', async () => {
    const reason = new Error('called off')
    await expect(file.dial(`file:${dir.path('image')}`, AbortSignal.abort(reason))).rejects.toBe(reason)
    await expect(file.listen(`file:${dir.path('image')}`, AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(names()).toEqual([])
  })
})

describe('a named pipe', () => {
  it.each(['dial', 'listen'] as const)('can be given up while nobody has opened its other end: %s', async (way) => {
    execFileSync('mkfifo', [dir.path('p')])
    const abort = new AbortController()
    const opening = file[way](`file:${dir.path('p')}`, abort.signal)
    setTimeout(() => abort.abort(new Error('called off')), 50)
    await expect(opening).rejects.toThrow('called off')
  })
})

describe('fd:', () => {
  it('reads and writes the descriptors it was given, and closes them', async () => {
    const to = openSync(dir.path('f'), 'w')
    const writer = await fd.dial(`fd:${to}`, never())
    await writer.write([bytes('hello')])
    await writer.end()
    await writer.close()
    expect(() => fstatSync(to)).toThrow('EBADF')
    const reader = await (await fd.listen(`fd:${openSync(dir.path('f'), 'r')}`, never())).accept(never())
    expect(Buffer.from((await reader.read(100)) ?? []).toString()).toBe('hello')
    await reader.close()
  })

  it('goes both ways over two', async () => {
    writeFileSync(dir.path('in'), 'in')
    const channel = await fd.dial(`fd:${openSync(dir.path('in'), 'r')},${openSync(dir.path('out'), 'w')}`, never())
    await channel.write([bytes('out')])
    expect(Buffer.from((await channel.read(100)) ?? []).toString()).toBe('in')
    await channel.end()
    await channel.close()
    await expect(channel.write([bytes('late')])).rejects.toMatchObject({ code: 'LINK_CLOSED' })
    expect(readFileSync(dir.path('out'), 'utf8')).toBe('out')
  })

  it.each(['fd:', 'fd:x', 'fd:-1', 'fd:3,', 'fd:1,2,3', 'fd:987654321'])('%s is refused', async (url) => {
    await expect(fd.dial(url, never())).rejects.toMatchObject({ code: 'LINK_ADDRESS' })
    await expect(fd.listen(url, never())).rejects.toMatchObject({ code: 'LINK_ADDRESS' })
  })

  it('is left alone when the operation was called off', async () => {
    const number = openSync(dir.path('f'), 'w')
    await expect(fd.dial(`fd:${number}`, AbortSignal.abort(new Error('called off')))).rejects.toThrow('called off')
    expect(fstatSync(number).isFile()).toBe(true)
    await (await fd.dial(`fd:${number}`, never())).close()
  })

  it('says when it was opened the other way', async () => {
    writeFileSync(dir.path('f'), 'x')
    const channel = await fd.dial(`fd:${openSync(dir.path('f'), 'r')}`, never())
    await expect(channel.write([bytes('x')])).rejects.toMatchObject({ code: 'LINK_IO' })
    await channel.close()
    expect(existsSync(dir.path('f'))).toBe(true)
  })
})
