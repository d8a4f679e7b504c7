import { ByteReader, emulatorXenstoreData, sinkOfBytes, sourceOfBytes, verify, walk, XL2, type ByteSink } from '@xen-replication/format'
import type { DeviceModel, GuestForSave, GuestKind } from '@xen-replication/hypervisor'
import { openImageSaver, type ImageSaver } from '@xen-replication/libxc-stream'
import { describe, expect, it } from 'vitest'
import { readStream } from '../../src/read/read-stream.ts'
import { openStreamRestorer } from '../../src/read/stream-restorer.ts'
import { openStreamWriter } from '../../src/write/stream-writer.ts'
import { writeStream } from '../../src/write/write-stream.ts'
import { vector } from '../fixtures.ts'
import { SmallGuest } from '../small-guest.ts'
import { smallSource } from '../small-source.ts'

/** A stream taken apart: pieces of its image as they lie between libxl's records, and what the device model had. */
async function apart(bytes: Uint8Array): Promise<{ image: Uint8Array[]; states: Uint8Array[]; pairs: (readonly [string, string])[] }> {
  const image: Uint8Array[] = []
  const states: Uint8Array[] = []
  const pairs: (readonly [string, string])[] = []
  let from = 24
  for await (const item of walk(new ByteReader(sourceOfBytes(bytes)))) {
    if (item.kind === 'stop' || item.layer !== 'libxl' || item.kind !== 'record' || item.type === XL2.LIBXC_CONTEXT) continue
    if (item.offset > from) image.push(bytes.subarray(from, item.offset))
    const body = await item.body.all()
    from = item.body.offset + Math.ceil(item.length / 8) * 8
    if (item.type === XL2.EMULATOR_CONTEXT) states.push(body.subarray(8))
    if (item.type === XL2.EMULATOR_XENSTORE_DATA) pairs.push(...emulatorXenstoreData.decode(body).entries.map(({ key, value }) => [key, value] as const))
  }
  return { image, states, pairs }
}

/** A saver that writes what it is told; the first piece comes in two steps. */
function scripted(pieces: readonly Uint8Array[]): ImageSaver {
  const [first = new Uint8Array(0), ...more] = pieces
  const rest = [first.subarray(40), ...more]
  const next = (sink: ByteSink): Promise<void> => sink.write([rest.shift() as Uint8Array])
  return { pages: 0, begin: (sink) => sink.write([first.subarray(0, 40)]), stop: () => Promise.resolve(), finish: next, checkpoint: next, close: () => Promise.resolve() }
}

function guestOf(kind: GuestKind, states: readonly Uint8Array[], pairs: readonly (readonly [string, string])[] = []): GuestForSave {
  const left = [...states]
  const { guest } = smallSource('hvm', 1, { state: () => Promise.resolve(left.shift() as Uint8Array), xenstore: () => Promise.resolve(pairs) })
  return { ...guest, facts: { ...guest.facts, kind }, deviceModel: kind === 'hvm' ? guest.deviceModel : undefined }
}

describe('a plain stream is written as Xen writes it, byte for byte', () => {
  const plain = [
    ['ok_xl2_tiny', 'hvm'],
    ['ok_xl2_hvm', 'hvm'],
    ['ok_xl2_hvm_xenstore', 'hvm'],
    ['ok_xl2_pv', 'pv'],
  ] as const
  for (const [name, kind] of plain) {
    it(name, async () => {
      const { image, states, pairs } = await apart(vector(name))
      const sink = sinkOfBytes()
      const writer = openStreamWriter(guestOf(kind, states, pairs), scripted(image))
      await writer.begin(sink)
      await writer.finish(sink)
      expect(sink.bytes()).toEqual(vector(name))
    })
  }
})

it('a Remus stream is written as Xen writes it, byte for byte', async () => {
  const wanted = vector('ok_xl2_remus')
  const { image, states } = await apart(wanted)
  const sink = sinkOfBytes()
  const writer = openStreamWriter(guestOf('hvm', states), scripted(image))
  await writer.begin(sink)
  for (const piece of image) {
    await writer.checkpoint(sink)
    await writer.completeCheckpoint(sink)
    expect(piece.length).toBeGreaterThan(0)
  }
  expect(sink.bytes()).toEqual(wanted)
})

it('a COLO stream announces each checkpoint but the first, and takes what the secondary wrote', async () => {
  const { guest } = smallSource('hvm', 16)
  const saver = await openImageSaver(guest, { mode: 'checkpointed' })
  const writer = openStreamWriter(guest, saver)
  const sink = sinkOfBytes()
  await writer.begin(sink)
  await writer.checkpoint(sink)
  await writer.completeCheckpoint(sink)
  await guest.lifecycle.resume('cancelled')
  const before = sink.bytes().length
  await writer.announceCheckpoint(sink)
  expect([...sink.bytes().subarray(before)]).toEqual([5, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  await writer.checkpoint(sink, [3, 5])
  await writer.completeCheckpoint(sink)
  await saver.close()
  const target = new SmallGuest({ kind: 'hvm' })
  const restorer = openStreamRestorer(new ByteReader(sourceOfBytes(sink.bytes())), target.port, { streamType: 'colo' })
  expect(await restorer.read()).toEqual({ why: 'checkpoint', epoch: 0 })
  expect(await restorer.awaitNew()).toEqual({ why: 'new' })
  expect(await restorer.read()).toEqual({ why: 'checkpoint', epoch: 1 })
})

describe('a guest that is written and read again', () => {
  for (const kind of ['hvm', 'pvh'] as const) {
    for (const mode of ['stopped', 'live'] as const) {
      it(`is the same: ${kind}, ${mode}`, async () => {
        const source = smallSource(kind, 700, { xenstore: () => Promise.resolve([['physmap/f0000000/name', 'vga.vram']]) })
        const sink = sinkOfBytes()
        await writeStream(source.guest, sink, { mode })
        const { verdict } = await verify(new ByteReader(sourceOfBytes(sink.bytes())), { format: 'libxl' })
        expect(verdict).toMatchObject({ strict: 'accept', xen: 'accept' })
        const target = new SmallGuest({ kind })
        expect(await readStream(openStreamRestorer(new ByteReader(sourceOfBytes(sink.bytes())), target.port, { streamType: 'plain' }))).toEqual({ why: 'end' })
        const same = (pfn: number): boolean => Buffer.compare(target.page(pfn) as Uint8Array, source.ram.subarray(pfn * 4096, (pfn + 1) * 4096)) === 0
        expect(Array.from({ length: 700 }, (_, pfn) => pfn).filter((pfn) => !same(pfn))).toEqual([])
        expect(target.xenstore).toEqual(kind === 'hvm' ? [[['physmap/f0000000/name', 'vga.vram']]] : [])
        expect(target.states).toEqual(kind === 'hvm' ? [Uint8Array.of(0x51, 0x45, 0x56, 0x4d, 9)] : [])
      })
    }
  }

  it('is the same checkpoint by checkpoint', async () => {
    const source = smallSource('hvm', 64)
    const saver = await openImageSaver(source.guest, { mode: 'checkpointed' })
    const writer = openStreamWriter(source.guest, saver)
    const sink = sinkOfBytes()
    await writer.begin(sink)
    for (let epoch = 0; epoch < 4; epoch++) {
      source.ram.fill(0x80 + epoch, 7 * 4096, 9 * 4096)
      source.touch([7, 8])
      await writer.checkpoint(sink)
      await source.guest.lifecycle.resume('cancelled')
      await writer.completeCheckpoint(sink)
    }
    await saver.close()
    const target = new SmallGuest({ kind: 'hvm' })
    const restorer = openStreamRestorer(new ByteReader(sourceOfBytes(sink.bytes())), target.port, { streamType: 'remus' })
    expect(await readStream(restorer)).toMatchObject({ why: 'failover', epochs: 4, dropped: { records: 0, bytes: 0 } })
    expect(target.page(8)?.every((byte) => byte === 0x83)).toBe(true)
  })
})

describe('what a device model has and a stream cannot hold', () => {
  const written = (deviceModel: Partial<DeviceModel>): Promise<void> => writeStream(smallSource('hvm', 1, deviceModel).guest, sinkOfBytes(), { mode: 'stopped' })
  const keys = ['', '/absolute', 'a//b', 'a/', '../up', 'a b', 'x'.repeat(2049)]
  for (const key of keys) {
    it(`a key ${JSON.stringify(key.slice(0, 20))} is refused`, async () => {
      await expect(written({ xenstore: () => Promise.resolve([[key, '1']]) })).rejects.toMatchObject({ code: 'STREAM_XENSTORE' })
    })
  }

  it('a value with a zero byte or with more than bytes is refused, an empty one is not', async () => {
    await expect(written({ xenstore: () => Promise.resolve([['k', 'a\0b']]) })).rejects.toMatchObject({ code: 'STREAM_XENSTORE' })
    await expect(written({ xenstore: () => Promise.resolve([['k', 'ŵ']]) })).rejects.toMatchObject({ code: 'STREAM_XENSTORE' })
    await written({ xenstore: () => Promise.resolve([['k', '']]) })
  })

  it('a state longer than a record is refused', async () => {
    const huge = { length: 0xffff_fff8 } as Uint8Array
    await expect(written({ state: () => Promise.resolve(huge) })).rejects.toMatchObject({ code: 'STREAM_TOO_LARGE' })
  })

  it('an HVM guest without a device model is refused before anything is written', async () => {
    const { guest } = smallSource('hvm', 1)
    const sink = sinkOfBytes()
    await expect(writeStream({ ...guest, deviceModel: undefined }, sink, { mode: 'stopped' })).rejects.toMatchObject({ code: 'STREAM_NO_DEVICE_MODEL' })
    expect(sink.bytes()).toHaveLength(0)
  })
})

describe('steps in a wrong order are refused', () => {
  const writer = (): ReturnType<typeof openStreamWriter> => openStreamWriter(guestOf('pvh', []), scripted([new Uint8Array(48), new Uint8Array(8)]))
  it('finish() before begin()', () => expect(writer().finish(sinkOfBytes())).rejects.toMatchObject({ code: 'STREAM_ORDER' }))
  it('completeCheckpoint() without a checkpoint()', async () => {
    const one = writer()
    await one.begin(sinkOfBytes())
    await expect(one.completeCheckpoint(sinkOfBytes())).rejects.toMatchObject({ code: 'STREAM_ORDER' })
  })
  it('announceCheckpoint() before the first', async () => {
    const one = writer()
    await one.begin(sinkOfBytes())
    await expect(one.announceCheckpoint(sinkOfBytes())).rejects.toMatchObject({ code: 'STREAM_ORDER' })
  })
  it('anything behind a step that failed', async () => {
    const one = writer()
    const full = { write: () => Promise.reject(new Error('disk full')) }
    await expect(one.begin(full)).rejects.toThrow('disk full')
    await expect(one.begin(sinkOfBytes())).rejects.toMatchObject({ code: 'STREAM_ORDER' })
  })
})

it('a sink that fails at any write leaves the guest’s log-dirty mode off', async () => {
  for (let fail = 1; fail < 12; fail++) {
    const source = smallSource('hvm', 8)
    let writes = 0
    const sink = { write: () => (++writes === fail ? Promise.reject(new Error('gone')) : Promise.resolve()) }
    const outcome = await writeStream(source.guest, sink, { mode: 'live' }).then(
      () => 'written',
      (error: Error) => error.message,
    )
    if (outcome === 'written') return expect(fail).toBeGreaterThan(4)
    expect(outcome).toBe('gone')
    expect(source.calls.filter((call) => call === 'enable')).toHaveLength(source.calls.filter((call) => call === 'disable').length)
  }
})
