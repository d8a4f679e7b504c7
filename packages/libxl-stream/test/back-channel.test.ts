import { ByteReader, encodeRecord, sinkOfBytes, sourceOfBytes } from '@xen-replication/format'
import { describe, expect, it } from 'vitest'
import { BackChannel, openBackChannelWriter } from '../src/back-channel.ts'

const channelOf = (bytes: Uint8Array, quirk?: 'c64-surplus'): BackChannel => new BackChannel(new ByteReader(sourceOfBytes(bytes)), { quirk })

describe('COLO’s channel back', () => {
  for (const quirk of [undefined, 'c64-surplus'] as const) {
    it(`carries states and lists of pfns by turns${quirk === undefined ? '' : ', also as Xen’s own 64-bit secondary writes them'}`, async () => {
      const sink = sinkOfBytes()
      const secondary = openBackChannelWriter(sink, { quirk })
      await secondary.say('SVM_READY')
      await secondary.say('SVM_RESUMED')
      await secondary.say('SVM_SUSPENDED')
      await secondary.dirtyPfns([1, 3])
      await secondary.say('SVM_READY')
      const primary = channelOf(sink.bytes(), quirk)
      await primary.expect('SVM_READY')
      await primary.expect('SVM_RESUMED')
      await primary.expect('SVM_SUSPENDED')
      expect(await primary.dirtyPfns()).toEqual([1, 3])
      await primary.expect('SVM_READY')
    })
  }

  it('that says something else than is due is refused', async () => {
    const sink = sinkOfBytes()
    const secondary = openBackChannelWriter(sink)
    await secondary.say('SVM_READY')
    await expect(channelOf(sink.bytes()).expect('SVM_SUSPENDED')).rejects.toMatchObject({ code: 'FMT_BACK_CHANNEL', offset: 0 })
    await expect(channelOf(sink.bytes()).dirtyPfns()).rejects.toMatchObject({ code: 'FMT_BACK_CHANNEL', offset: 0 })
    const list = sinkOfBytes()
    await openBackChannelWriter(list).dirtyPfns([])
    await expect(channelOf(list.bytes()).expect('SVM_READY')).rejects.toMatchObject({ code: 'FMT_BACK_CHANNEL' })
    await expect(channelOf(encodeRecord(5, Uint8Array.of(9, 0, 0, 0))).expect('SVM_READY')).rejects.toThrow(/state 9/)
  })

  it('that ends tells what was due', async () => {
    await expect(channelOf(new Uint8Array(0)).expect('SVM_READY')).rejects.toMatchObject({ code: 'FMT_TRUNCATED', offset: 0 })
    await expect(channelOf(new Uint8Array(5)).dirtyPfns()).rejects.toMatchObject({ code: 'FMT_TRUNCATED' })
  })
})
