import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfBytes, sourceOfChunks } from '../../src/bytes/byte-source.ts'
import { joined } from '../../src/bytes/joined.ts'
import { encodeDirtyPfnRecord, type DirtyPfnOptions } from '../../src/libxc/checkpoint-dirty-pfn-list.ts'
import { readBackChannel, type BackChannelRecord } from '../../src/libxl/back-channel.ts'
import { encodeCheckpointState } from '../../src/libxl/checkpoint-state.ts'
import { words } from '../frame/there-and-back.ts'

const cycle = (quirk?: DirtyPfnOptions['quirk']): Uint8Array =>
  joined(
    encodeCheckpointState('SVM_READY'),
    encodeCheckpointState('SVM_RESUMED'),
    encodeCheckpointState('SVM_SUSPENDED'),
    encodeDirtyPfnRecord([1, 3], { quirk }),
    encodeCheckpointState('SVM_READY'),
  )

async function all(reader: ByteReader, options?: DirtyPfnOptions): Promise<readonly BackChannelRecord[]> {
  const records: BackChannelRecord[] = []
  for await (const record of readBackChannel(reader, options)) records.push(record)
  return records
}

describe('the secondary’s side of a COLO cycle', () => {
  it('is states and a list of dirty pfns', async () => {
    expect(await all(new ByteReader(sourceOfBytes(cycle())))).toEqual([
      { kind: 'state', offset: 0, id: 2, name: 'SVM_READY' },
      { kind: 'state', offset: 16, id: 3, name: 'SVM_RESUMED' },
      { kind: 'state', offset: 32, id: 1, name: 'SVM_SUSPENDED' },
      { kind: 'dirty', offset: 48, pfns: [1, 3] },
      { kind: 'state', offset: 72, id: 2, name: 'SVM_READY' },
    ])
  })
  it('is the same wherever the network cuts it, surplus bytes or not', () =>
    fc.assert(fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 20 })), fc.constantFrom(undefined, 'c64-surplus' as const), async (sizes, quirk) => {
      const bytes = cycle(quirk)
      const chunks: Uint8Array[] = []
      let at = 0
      for (const size of sizes) chunks.push(bytes.slice(at, (at += size)))
      chunks.push(bytes.slice(at))
      const records = await all(new ByteReader(sourceOfChunks(chunks)), { quirk })
      expect(records.map((record) => (record.kind === 'dirty' ? record.pfns : record.name))).toEqual(['SVM_READY', 'SVM_RESUMED', 'SVM_SUSPENDED', [1, 3], 'SVM_READY'])
    })))
  it('is given out record by record, without a byte of the next', async () => {
    const reader = new ByteReader(sourceOfBytes(cycle()))
    const records = readBackChannel(reader)
    for (const offset of [16, 32, 48, 72, 88]) {
      await records.next()
      expect(reader.offset).toBe(offset)
    }
    expect(await records.next()).toEqual({ done: true, value: undefined })
  })
  it('may have states of another length or number', async () => {
    expect(await all(new ByteReader(sourceOfBytes(joined(words(5, 8, 9, 0), words(5, 5, 0, 0)))))).toEqual([
      { kind: 'state', offset: 0, id: 9, name: undefined },
      { kind: 'state', offset: 16, id: 0, name: 'NEW' },
    ])
  })
  it.each([
    ['a record of another kind comes', words(3, 0), 'FMT_BACK_CHANNEL', 0],
    ['surplus bytes were not expected', cycle('c64-surplus'), 'FMT_BACK_CHANNEL', 72],
    ['a state has no room for its number', words(5, 3, 0, 0), 'FMT_BODY_SIZE', 0],
    ['a state is as long as no state is', words(5, 0xffffffff, 0, 0), 'FMT_BODY_SIZE', 0],
    ['it ends within a head', words(5), 'FMT_TRUNCATED', 4],
    ['it ends within a state', words(5, 4, 2), 'FMT_TRUNCATED', 12],
  ])('is refused when %s', async (_, bytes, code, offset) => {
    await expect(all(new ByteReader(sourceOfBytes(bytes)))).rejects.toMatchObject({ code, offset })
  })
})
