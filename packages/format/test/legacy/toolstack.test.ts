import { describe, expect, it } from 'vitest'
import { physmapKeys, readToolstack } from '../../src/legacy/toolstack.ts'
import { word } from './build.ts'
import { bytesOf } from './streams.ts'

const entry = (name: string, stray = ''): Uint8Array => bytesOf(['q', 0x800000, 0xf0000000n, 0x1000], word(name.length), name, stray)

function read(data: Uint8Array, width: 32 | 64 = 32): { names: string[]; faults: string[] } {
  const faults: string[] = []
  const found = readToolstack(data, width, 100, (rule, offset) => faults.push(`${rule} ${offset}`))
  return { names: found.map(({ name }) => Buffer.from(name).toString()), faults }
}

describe('the toolstack blob', () => {
  it('lists regions, with four stray bytes behind each name when a 64-bit saver wrote it', () => {
    expect(read(bytesOf(word(1, 2), entry('a\0'), entry('\0')))).toEqual({ names: ['a', ''], faults: [] })
    expect(read(bytesOf(word(1, 2), entry('a\0', 'junk'), entry('é\0', 'junk')), 64)).toMatchObject({ names: ['a', expect.anything()] })
    expect(read(bytesOf(word(1, 0)))).toEqual({ names: [], faults: [] })
  })
  it.each([
    ['less than its head', bytesOf(word(1)), [], ['LG_TOOLSTACK_SHORT 100']],
    ['another version', bytesOf(word(2, 0)), [], ['LG_TOOLSTACK_VERSION 100']],
    ['an entry cut in its numbers', bytesOf(word(1, 2), entry('a\0'), word(1)), ['a'], ['LG_TOOLSTACK_SHORT 138']],
    ['an entry cut in its name', bytesOf(word(1, 1), entry('abc\0').subarray(0, -1)), [], ['LG_TOOLSTACK_SHORT 108']],
    ['no name', bytesOf(word(1, 2), entry(''), entry('b\0')), ['b'], ['LG_TOOLSTACK_NAME 136']],
    ['no NUL', bytesOf(word(1, 1), entry('ab')), [], ['LG_TOOLSTACK_NAME 136']],
    ['a NUL too many', bytesOf(word(1, 1), entry('a\0b\0')), [], ['LG_TOOLSTACK_NAME 136']],
    ['a name that is not UTF-8', bytesOf(word(1, 1), entry('\xff\0')), ['\ufffd'], ['LG_TOOLSTACK_UTF8 136']],
    ['bytes left over', bytesOf(word(1, 1), entry('a\0'), 'xyz'), ['a'], ['LG_TOOLSTACK_REST 138']],
  ])('with %s is reported where it is wrong, and read as far as it goes', (_, data, names, faults) => {
    expect(read(data)).toEqual({ names, faults })
  })
  it('becomes xenstore keys in hexadecimal', () => {
    const [region] = readToolstack(bytesOf(word(1, 1), entry('vga.vram\0')), 32, 0, () => undefined)
    expect(region && Buffer.from(physmapKeys(region)).toString()).toBe(
      'physmap/800000/start_addr\0f0000000\0physmap/800000/size\x001000\0physmap/800000/name\0vga.vram\0',
    )
  })
})
