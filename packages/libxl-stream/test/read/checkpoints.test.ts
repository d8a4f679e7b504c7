import { ByteReader, encodeCheckpointState, encodeRecord, sourceOfBytes, XC, XL2 } from '@xen-replication/format'
import type { GuestKind } from '@xen-replication/hypervisor'
import { describe, expect, it } from 'vitest'
import { openStreamRestorer, type StreamRestoreOptions, type StreamRestorer } from '../../src/read/stream-restorer.ts'
import { readStream } from '../../src/read/read-stream.ts'
import { SmallGuest } from '../small-guest.ts'

const join = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]))
const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0))
const words = (...values: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer)
const nothing = new Uint8Array(0)

const header = join(ascii('LibxlFmt'), Uint8Array.of(0, 0, 0, 2, 0, 0, 0, 0))
const imageStart = join(new Uint8Array(8).fill(0xff), ascii('XENF'), Uint8Array.of(0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0), words(2, 12, 4, 17))
const pageOf = (pfn: number, fill: number): Uint8Array => encodeRecord(XC.PAGE_DATA, join(words(1, 0, pfn, 0), new Uint8Array(4096).fill(fill)))
const checkpoint = encodeRecord(XC.CHECKPOINT, nothing)
const context = encodeRecord(XC.HVM_CONTEXT, Uint8Array.of(1))
const state = (n: number): Uint8Array => encodeRecord(XL2.EMULATOR_CONTEXT, join(words(2, 0), Uint8Array.of(n)))
const xenstore = (text: string): Uint8Array => encodeRecord(XL2.EMULATOR_XENSTORE_DATA, join(words(2, 0), ascii(text)))
const groupEnd = encodeRecord(XL2.CHECKPOINT_END, nothing)
const image = join(encodeRecord(XL2.LIBXC_CONTEXT, nothing), imageStart, encodeRecord(XC.STATIC_DATA_END, nothing), pageOf(1, 1), context)
const first = join(header, image, checkpoint, state(1), groupEnd)
const second = join(pageOf(1, 2), context, checkpoint, xenstore('physmap/1/size\x002\x00'), state(2), groupEnd)
const end = encodeRecord(XL2.END, nothing)

function open(bytes: Uint8Array, options: Partial<StreamRestoreOptions> = {}, kind: GuestKind = 'hvm'): { guest: SmallGuest; restorer: StreamRestorer; reader: ByteReader } {
  const guest = new SmallGuest({ kind })
  const reader = new ByteReader(sourceOfBytes(bytes))
  return { guest, reader, restorer: openStreamRestorer(reader, guest.port, { streamType: 'remus', ...options }) }
}

const content = (guest: SmallGuest): number | undefined => guest.page(1)?.[0]

describe('a checkpoint', () => {
  it('counts when both its halves are there, and the bytes behind it are left alone', async () => {
    const { guest, restorer, reader } = open(join(first, second, pageOf(1, 3)))
    expect(await restorer.read()).toEqual({ why: 'checkpoint', epoch: 0 })
    expect([content(guest), guest.states]).toEqual([1, [Uint8Array.of(1)]])
    expect(reader.offset).toBe(first.length)
    expect(await restorer.read()).toEqual({ why: 'checkpoint', epoch: 1 })
    expect([content(guest), guest.states.at(-1), guest.xenstore]).toEqual([2, Uint8Array.of(2), [[['physmap/1/size', '2']]]])
    expect(reader.offset).toBe(first.length + second.length)
  })

  it('that is cut at any byte never was: the guest is as of the one before, in memory and in its devices', async () => {
    for (let cut = 0; cut < second.length; cut += cut < 40 || cut > 4100 ? 1 : 409) {
      const { guest, restorer } = open(join(first, second.subarray(0, cut)))
      await restorer.read()
      const stop = await restorer.read()
      expect(stop).toMatchObject({ why: 'failover', epochs: 1, error: { offset: first.length + cut } })
      await restorer.complete()
      expect([content(guest), guest.states, guest.xenstore]).toEqual([1, [Uint8Array.of(1)], []])
      expect(guest).toMatchObject({ mapped: 0, closed: 0, completions: 1 })
    }
  })

  it('is held until it is told to be applied, and forgotten when it is told to be dropped', async () => {
    const { guest, restorer } = open(join(first, second, pageOf(1, 3)), { applies: 'when-told' })
    expect(await restorer.read()).toEqual({ why: 'checkpoint', epoch: 0 })
    expect(guest.states).toEqual([])
    await restorer.apply()
    expect(await restorer.read()).toEqual({ why: 'checkpoint', epoch: 1 })
    expect([content(guest), guest.states]).toEqual([1, [Uint8Array.of(1)]])
    restorer.drop()
    await restorer.complete()
    expect([content(guest), guest.states, guest.completions]).toEqual([1, [Uint8Array.of(1)], 1])
  })

  it('that is held and applied at the end is what the guest is completed with', async () => {
    const { guest, restorer } = open(join(first, second, pageOf(1, 3)), { applies: 'when-told' })
    await restorer.read()
    await restorer.apply()
    await restorer.read()
    await restorer.apply()
    expect(await restorer.read()).toMatchObject({ why: 'failover', epochs: 2 })
    await restorer.complete()
    expect([content(guest), guest.states.at(-1)]).toEqual([2, Uint8Array.of(2)])
  })

  it('that is held has to be dealt with before the next is read', async () => {
    const { restorer } = open(join(first, second), { applies: 'when-told' })
    expect(() => restorer.drop()).toThrow(expect.objectContaining({ code: 'RESTORE_ORDER' }) as Error)
    await restorer.read()
    await expect(restorer.read()).rejects.toMatchObject({ code: 'RESTORE_ORDER' })
  })

  it('that is the first and is cut at any byte leaves no guest', async () => {
    for (let cut = 0; cut < first.length; cut += cut < 100 || cut > 4200 ? 1 : 409) {
      const { guest, restorer } = open(first.subarray(0, cut))
      const stop = await restorer.read()
      expect(stop).toMatchObject({ why: 'lost', error: { code: expect.stringMatching(/^X/) as string, offset: cut } })
      expect(guest).toMatchObject({ mapped: 0, closed: 1, states: [] })
      await expect(restorer.complete()).rejects.toMatchObject({ code: 'RESTORE_ORDER' })
    }
  })

  it('says how much of it was dropped', async () => {
    const { restorer } = open(join(first, pageOf(1, 2), checkpoint, state(2)))
    await restorer.read()
    expect(await restorer.read()).toMatchObject({ why: 'failover', dropped: { records: 2, bytes: 24 + 4096 + 24 } })
  })

  const wrong = [
    ['END', end, 'XL2_NOT_IN_CHECKPOINT'],
    ['LIBXC_CONTEXT', encodeRecord(XL2.LIBXC_CONTEXT, nothing), 'XL2_NOT_IN_CHECKPOINT'],
    ['a state', encodeCheckpointState('NEW'), 'XL2_STATE_ALONE'],
    ['a record that nobody knows', encodeRecord(9, nothing), 'XL2_UNKNOWN_TYPE'],
    ['a key that leads elsewhere', xenstore('/local\0x\0'), 'XL2_XENSTORE_KEY'],
    ['a key without a value', xenstore('a\0'), 'XL2_XENSTORE_NOT_TERMINATED'],
  ] as const
  for (const [what, bytes, code] of wrong) {
    it(`with ${what} in it is refused, and no part of it counts`, async () => {
      const { guest, restorer } = open(join(first, pageOf(1, 2), checkpoint, state(2), bytes, groupEnd))
      await restorer.read()
      await expect(restorer.read()).rejects.toMatchObject({ code, offset: first.length + 24 + 4096 + 8 + 24 })
      expect([content(guest), guest.states.length, guest.closed]).toEqual([1, 1, 1])
    })
  }

  it('of a PVH guest has nothing for a device model', async () => {
    const bare = join(header, image, checkpoint, groupEnd, pageOf(1, 2), checkpoint, groupEnd)
    const { guest, restorer } = open(bare, {}, 'pvh')
    expect(await readStream(restorer)).toMatchObject({ why: 'failover', epochs: 2 })
    expect(content(guest)).toBe(2)
    const other = open(first, {}, 'pvh')
    await expect(other.restorer.read()).rejects.toMatchObject({ code: 'XL2_EMULATOR_IN_PV' })
    expect(other.guest.closed).toBe(1)
  })

  it('whose device model says more than is allowed is refused before it is read', async () => {
    const { restorer, reader } = open(first, { heldBytesMax: 8 })
    await expect(restorer.read()).rejects.toMatchObject({ code: 'RESTORE_HELD_LIMIT' })
    expect(reader.offset).toBe(header.length + image.length + 8 + 8)
  })

  it('is acknowledged before more is read; what that throws is the caller’s', async () => {
    const { guest, restorer } = open(join(first, second))
    const gone = new Error('cannot acknowledge')
    await expect(readStream(restorer, { checkpointed: () => Promise.reject(gone) })).rejects.toBe(gone)
    expect(guest.closed).toBe(0)
    await restorer.complete()
    expect([guest.completions, content(guest)]).toEqual([1, 1])
  })
})

describe('a Remus stream', () => {
  it('that is in truth a plain one is read to its end', async () => {
    const { guest, restorer } = open(join(header, image, encodeRecord(XC.END, nothing), state(1), end))
    expect(await readStream(restorer)).toEqual({ why: 'end' })
    expect(guest).toMatchObject({ completions: 1, states: [Uint8Array.of(1)] })
  })

  it('ends with the END of its image, behind a checkpoint', async () => {
    const { guest, restorer } = open(join(first, pageOf(1, 2), encodeRecord(XC.END, nothing)))
    expect(await readStream(restorer)).toEqual({ why: 'end' })
    expect([guest.completions, content(guest)]).toEqual([1, 1])
  })

  it('may not hold a second image', async () => {
    const { restorer } = open(join(header, image, encodeRecord(XC.END, nothing), image))
    await expect(restorer.read()).rejects.toMatchObject({ code: 'XL2_SECOND_LIBXC' })
  })

  it('that nobody takes over is given back', async () => {
    const { guest, restorer } = open(first)
    await restorer.read()
    expect((await restorer.read()).why).toBe('failover')
    await restorer.close()
    expect(guest).toMatchObject({ closed: 1, completions: 0 })
  })
})

describe('a plain stream with something out of place', () => {
  const wrong = [
    ['CHECKPOINT_END', groupEnd, 'XL2_CHECKPOINT_END_ALONE'],
    ['a state', encodeCheckpointState('NEW'), 'XL2_STATE_ALONE'],
    ['a record that may be skipped elsewhere', encodeRecord(0x8000_0000, nothing), 'XL2_UNKNOWN_TYPE'],
    ['an emulator record without its front', encodeRecord(XL2.EMULATOR_CONTEXT, words(2)), 'XL2_EMULATOR_SHORT'],
    ['a key that xenstore does not take', xenstore('physmap/../x\0y\0'), 'XL2_XENSTORE_KEY'],
  ] as const
  for (const [what, bytes, code] of wrong) {
    it(`is refused: ${what}`, async () => {
      const { guest, restorer } = open(join(header, image, encodeRecord(XC.END, nothing), bytes, end), { streamType: 'plain' })
      await expect(restorer.read()).rejects.toMatchObject({ code, offset: header.length + image.length + 8, record: 5 })
      expect(guest.closed).toBe(1)
    })
  }
})

describe('a COLO stream', () => {
  const announced = join(first, encodeCheckpointState('NEW'), second)

  it('is announced checkpoint by checkpoint, and the guest is completed at each', async () => {
    const { guest, restorer } = open(announced, { streamType: 'colo' })
    expect(await restorer.read()).toEqual({ why: 'checkpoint', epoch: 0 })
    await restorer.complete()
    expect(await restorer.awaitNew()).toEqual({ why: 'new' })
    expect(await restorer.read()).toEqual({ why: 'checkpoint', epoch: 1 })
    await restorer.complete()
    expect(guest).toMatchObject({ completions: 1, contexts: 2 })
    expect(await restorer.awaitNew()).toMatchObject({ why: 'failover', epochs: 2, dropped: { records: 0, bytes: 0 } })
  })

  it('is read by turns', async () => {
    const { restorer } = open(announced, { streamType: 'colo' })
    await expect(restorer.awaitNew()).rejects.toMatchObject({ code: 'RESTORE_ORDER' })
    await restorer.read()
    await expect(restorer.read()).rejects.toMatchObject({ code: 'RESTORE_ORDER' })
  })

  const wrong = [
    ['another state', encodeCheckpointState('SVM_READY'), 'XL2_STATE_ID'],
    ['another record', pageOf(1, 1), 'XL2_STATE_ID'],
    ['an empty state', encodeRecord(XL2.CHECKPOINT_STATE, nothing), 'XL2_STATE_EMPTY'],
    ['a short state', encodeRecord(XL2.CHECKPOINT_STATE, Uint8Array.of(0, 0)), 'XL2_STATE_SHORT'],
    ['a state without end', join(words(XL2.CHECKPOINT_STATE, 1 << 20)), 'XL2_STATE_SHORT'],
  ] as const
  for (const [what, bytes, code] of wrong) {
    it(`with ${what} where NEW is due is refused`, async () => {
      const { guest, restorer } = open(join(first, bytes), { streamType: 'colo' })
      await restorer.read()
      await expect(restorer.awaitNew()).rejects.toMatchObject({ code, offset: first.length })
      expect(guest.closed).toBe(1)
    })
  }
})

describe('a host that fails', () => {
  it('at any call: the domain is given back, nothing stays mapped', async () => {
    const bytes = join(first, second)
    const all = open(bytes)
    await readStream(all.restorer)
    await all.restorer.complete()
    for (let fail = 1; fail <= all.guest.calls.length; fail++) {
      const trouble = new Error(`call ${fail}`)
      const guest = new SmallGuest({
        kind: 'hvm',
        before: (_, n) => {
          if (n === fail) throw trouble
        },
      })
      const restorer = openStreamRestorer(new ByteReader(sourceOfBytes(bytes)), guest.port, { streamType: 'remus' })
      await expect(readStream(restorer).then(() => restorer.complete())).rejects.toBe(trouble)
      expect(guest).toMatchObject({ mapped: 0, closed: 1, completions: 0 })
    }
  })

  it('without a device model for an HVM guest is refused before anything is read', () => {
    const { port } = new SmallGuest({ kind: 'hvm' })
    const reader = new ByteReader(sourceOfBytes(first))
    expect(() => openStreamRestorer(reader, { ...port, deviceModel: undefined }, { streamType: 'plain' })).toThrow(expect.objectContaining({ code: 'STREAM_NO_DEVICE_MODEL' }))
  })
})
