import { StagedSink } from '@xen-replication/libxc-stream'
import { sinkOfBytes, type ByteSink } from '@xen-replication/format'
import { describe, expect, it } from 'vitest'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

describe('bytes that wait until the guest runs again', () => {
  it('are sent when released, in one piece, even when their memory has been used for something else', async () => {
    const writes: number[][][] = []
    const sink: ByteSink = { write: (parts) => (writes.push(parts.map((part) => [...part])), Promise.resolve()) }
    const staged = new StagedSink(sink, { bytes: 8 })
    const part = bytes(1, 2)
    await staged.write([part, bytes(3)])
    part.fill(9)
    await staged.write([bytes(4)])
    expect(staged.held).toBe(4)
    expect(writes).toEqual([])
    await staged.release()
    await staged.release()
    expect(writes).toEqual([[[1, 2, 3, 4]]])
    expect(staged.held).toBe(0)
  })
  it('are sent at once, in order, where they do not fit', async () => {
    const sink = sinkOfBytes()
    const spills: number[] = []
    const staged = new StagedSink(sink, { bytes: 4, spilled: (count) => spills.push(count) })
    await staged.write([bytes(1, 2, 3)])
    await staged.write([bytes(4, 5)])
    expect([...sink.bytes()]).toEqual([1, 2, 3])
    expect(staged.held).toBe(2)
    await staged.write([bytes(6, 7, 8), bytes(9, 10)])
    expect([...sink.bytes()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(staged.held).toBe(0)
    expect(spills).toEqual([3, 7])
  })
  it('are not overwritten while they are sent', async () => {
    let sent: () => void = () => undefined
    const seen: Uint8Array[] = []
    const staged = new StagedSink({ write: ([part]) => (seen.push(part as Uint8Array), new Promise((done) => (sent = done))) }, { bytes: 4 })
    await staged.write([bytes(1, 2)])
    const release = staged.release()
    const next = staged.write([bytes(8, 9)])
    await Promise.resolve()
    expect([...(seen[0] as Uint8Array)]).toEqual([1, 2])
    sent()
    await Promise.all([release, next])
    expect(staged.held).toBe(2)
  })
  it('are lost when they can go nowhere, and everything after them is refused', async () => {
    const staged = new StagedSink({ write: () => Promise.reject(new Error('gone')) }, { bytes: 4 })
    await staged.write([bytes(1)])
    await expect(staged.release()).rejects.toThrow('gone')
    await expect(staged.write([bytes(2)])).rejects.toThrow('gone')
    await expect(staged.release()).rejects.toThrow('gone')
  })
})
