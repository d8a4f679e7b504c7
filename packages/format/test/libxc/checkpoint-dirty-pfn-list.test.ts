import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfBytes } from '../../src/bytes/byte-source.ts'
import { fromHex } from '../../src/bytes/field.ts'
import { joined } from '../../src/bytes/joined.ts'
import { checkpointDirtyPfnList, decodeDirtyPfns, encodeDirtyPfnRecord, readDirtyPfnRecord } from '../../src/libxc/checkpoint-dirty-pfn-list.ts'
import { thereAndBack, words } from '../frame/there-and-back.ts'

const hex = (text: string): Uint8Array => fromHex(text.replaceAll(' ', '')) as Uint8Array
const plain = hex('0f000000 10000000 0100000000000000 0300000000000000')
const surplus = hex('0f000000 10000000 0000000000000000 0100000000000000 0300000000000000')
const over = (bytes: Uint8Array): ByteReader => new ByteReader(sourceOfBytes(joined(bytes, Uint8Array.of(0xaa))))
const quirk = 'c64-surplus'

describe('the list of dirty pfns', () => {
  it('goes on the wire as the format says', async () => {
    expect(encodeDirtyPfnRecord([1, 3])).toEqual(plain)
    const reader = over(plain)
    expect(await readDirtyPfnRecord(reader)).toEqual([1, 3])
    expect(reader.offset).toBe(plain.length)
  })
  it('goes on the wire as 64-bit builds of Xen send it when that is asked for', async () => {
    expect(encodeDirtyPfnRecord([1, 3], { quirk })).toEqual(surplus)
    const reader = over(surplus)
    expect(await readDirtyPfnRecord(reader, { quirk })).toEqual([1, 3])
    expect(reader.offset).toBe(surplus.length)
  })
  it('may be empty', async () => {
    expect(await readDirtyPfnRecord(over(encodeDirtyPfnRecord([])))).toEqual([])
    expect(thereAndBack(checkpointDirtyPfnList, new Uint8Array(0))).toEqual([])
    expect(decodeDirtyPfns(plain.subarray(8))).toEqual([1, 3])
  })
  it.each([
    ['another record comes', words(5, 4, 0, 0), {}, 'FMT_BACK_CHANNEL', 0],
    ['there are no surplus bytes', plain, { quirk }, 'FMT_BACK_CHANNEL', 8],
    ['a pfn is cut', words(15, 12, 0, 0, 0), {}, 'FMT_BODY_SIZE', 8],
    ['it is longer than any record', words(15, 0xfffffff8), {}, 'FMT_BODY_SIZE', 8],
    ['the channel ends', plain.subarray(0, 20), {}, 'FMT_TRUNCATED', 21],
  ] as const)('is refused when %s', async (_, bytes, options, code, offset) => {
    await expect(readDirtyPfnRecord(over(bytes), options)).rejects.toMatchObject({ code, offset })
  })
})
