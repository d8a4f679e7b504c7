import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { notesBeside, openSentFile } from '../../src/copies/sent-file.ts'
import { folderOf } from '../scratch.ts'

describe('an image to be sent', () => {
  it('is read from any place, more than once', async () => {
    const seen: number[] = []
    const sent = await openSentFile(join(folderOf({ x: 'abcdef' }), 'x'), (at) => seen.push(at))
    const read = async (at: number, max: number): Promise<string | undefined> => {
      const piece = await sent.source.read(at, max)
      return piece === undefined ? undefined : new TextDecoder().decode(piece)
    }
    expect([sent.bytes, await read(2, 3), await read(0, 100), await read(6, 1)]).toEqual([6, 'cde', 'abcdef', undefined])
    expect(seen).toEqual([5, 6, 6])
    await sent.close()
  })

  it.each(['x', '.'])('has to be a file: %s', async (name) => {
    await expect(openSentFile(join(folderOf(), name), () => undefined)).rejects.toMatchObject({ code: 'LINK_ADDRESS' })
  })
})

describe('notes of a transfer', () => {
  it('lie beside the image, for their owner, one for each place it goes to', async () => {
    const folder = folderOf()
    const notes = (url: string) => notesBeside(join(folder, 'x'), url, () => undefined)
    expect(await notes('tcp://a:1').load()).toBeUndefined()
    await notes('tcp://a:1').save('one')
    await notes('tcp://b:1').save('two')
    expect([await notes('tcp://a:1').load(), await notes('tcp://b:1').load()]).toEqual(['one', 'two'])
    expect(readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([0o600, 0o600])
    await notes('tcp://a:1').remove()
    await notes('tcp://a:1').remove()
    expect(readdirSync(folder).length).toBe(1)
  })

  it('that cannot be kept are told, and the transfer goes on', async () => {
    const told: unknown[] = []
    await notesBeside('/nowhere/x', 'tcp://a:1', (error) => told.push(error)).save('one')
    expect(told).toMatchObject([{ code: 'ENOENT' }])
  })
})
