import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfBytes, sourceOfChunks } from '../../src/bytes/byte-source.ts'
import { readDeviceBody } from '../../src/qemu/device-body.ts'
import { readColoMessage } from '../../src/qemu/colo-message.ts'
import { QemuReader } from '../../src/qemu/qemu-reader.ts'
import type { RamVisitor } from '../../src/qemu/ram-payload.ts'
import type { QemuItem } from '../../src/qemu/stream-item.ts'
import { ascii, be, command, configuration, counted, description, device, end, eos, footer, header, page, ramMore, ramStart, table, zeroPage } from './stream-builder.ts'

const silent: RamVisitor = { blocks: () => undefined, page: () => undefined }

/** Keeps memory as one block of bytes each. */
function memory(): RamVisitor & { readonly of: Map<string, Uint8Array> } {
  const of = new Map<string, Uint8Array>()
  return {
    of,
    blocks: (blocks) => blocks.forEach(({ name, length }) => of.set(name, new Uint8Array(length).fill(0xee))),
    page: ({ name }, offset, bytes) => void (bytes === undefined ? of.get(name)?.fill(0, offset, offset + 4096) : of.get(name)?.set(bytes, offset)),
  }
}

const all = async (items: AsyncIterable<QemuItem>): Promise<readonly QemuItem[]> => {
  const list: QemuItem[] = []
  for await (const item of items) list.push(item)
  return list
}

const reading = (parts: readonly (readonly number[])[], visitor: RamVisitor = silent): { readonly reader: ByteReader; readonly qemu: QemuReader } => {
  const reader = new ByteReader(sourceOfBytes(Uint8Array.from(parts.flat())))
  return { reader, qemu: new QemuReader(reader, visitor) }
}

const stream = (...parts: readonly (readonly number[])[]): Promise<readonly QemuItem[]> => all(reading(parts).qemu.stream())
const whole = [header(), configuration(), command(8), ramStart(), ramMore(2, page(0, 7, 'pc.ram'), zeroPage(0x1000)), ramMore(3, page(0, 9, 'rom')), device(0, 'timer', [1, 2, 3]), device(4, 'cpu', []), end, description()]

describe('a migration stream of QEMU', () => {
  it('is told piece by piece, with memory as it comes', async () => {
    const ram = memory()
    const { qemu, reader } = reading([...whole, [0, 0, 0, 1]], ram)
    const items = await all(qemu.stream())
    expect(items.map((item) => (item.kind === 'section' ? `${item.section} ${item.name}` : item.kind))).toEqual([
      'header', 'configuration', 'command', 'start ram', 'part ram', 'end ram', 'full timer', 'full cpu', 'end', 'description',
    ])
    expect(items[1]).toEqual({ kind: 'configuration', offset: 8, length: 7, machine: 'pc' })
    expect(items[2]).toMatchObject({ command: 8, name: 'enable-colo' })
    expect(items[4]).toMatchObject({ ram: { pages: 1, zeroPages: 1 } })
    expect(items[6]).toMatchObject({ id: 0, body: Uint8Array.of(1, 2, 3), length: 27 })
    expect(qemu.colo).toBe(true)
    expect([...(ram.of.get('pc.ram') ?? [])].filter((_, i) => i % 4096 === 0)).toEqual([7, 0, 0xee])
    expect(ram.of.get('rom')?.[4095]).toBe(9)
    expect(qemu.blocks).toEqual([{ name: 'pc.ram', length: 0x3000 }, { name: 'rom', length: 0x1000 }])
    expect(await readColoMessage(reader)).toMatchObject({ name: 'checkpoint-request' })
  })

  it('is read to its last byte and no further, however it arrives', async () => {
    const bytes = Uint8Array.from(whole.flat())
    const { length } = bytes
    const more = async function* (): AsyncGenerator<Uint8Array> {
      for (const byte of bytes) yield Uint8Array.of(byte)
      await Promise.resolve()
      throw new Error('asked for more than the stream has')
    }
    const reader = new ByteReader(sourceOfChunks(more()))
    expect((await all(new QemuReader(reader, silent).stream())).at(-1)?.kind).toBe('description')
    expect(reader.offset).toBe(length)
  })

  it('may have no description, and no command of COLO', async () => {
    const { qemu } = reading([header(), end])
    expect((await all(qemu.stream())).map(({ kind }) => kind)).toEqual(['header', 'end'])
    expect(qemu.colo).toBe(false)
  })

  it('may say more of its configuration', async () => {
    const sub = (name: string, body: readonly number[]): readonly number[] => [5, ...counted(name), ...be(4, 1), ...body]
    const items = await stream(header(), configuration(), sub('configuration/target-page-bits', be(4, 12)), sub('configuration/uuid', new Array<number>(16).fill(1)), sub('configuration/capabilities', [...be(4, 2), ...counted('x'), ...counted('events')]), end)
    expect(items.slice(2, -1).map((item) => (item.kind === 'subsection' ? item.name : ''))).toEqual(['configuration/target-page-bits', 'configuration/uuid', 'configuration/capabilities'])
    await expect(stream(header(), sub('configuration/new', []))).rejects.toMatchObject({ code: 'FMT_QEMU_STREAM', offset: 8 })
    await expect(stream(header(), sub('configuration/capabilities', be(4, 257)))).rejects.toThrow('257 capabilities')
  })

  it.each<[string, readonly (readonly number[])[], string]>([
    ['begins otherwise', [ascii('QEMUFILE')], 'FMT_NOT_AN_IMAGE'],
    ['has another version', [header(4)], 'FMT_QEMU_STREAM'],
    ['has a machine with an endless name', [header(), [7, ...be(4, 256)]], 'FMT_QEMU_STREAM'],
    ['has an unknown piece', [header(), [9]], 'FMT_QEMU_STREAM'],
    ['goes on with what has not begun', [header(), ramMore(2)], 'FMT_QEMU_STREAM'],
    ['begins a section twice', [header(), ramStart(), ramStart([])], 'FMT_QEMU_STREAM'],
    ['has memory of another version', [header(), ramStart([], { version: 3 })], 'FMT_QEMU_STREAM'],
    ['sends a disk', [header(), [1, ...be(4, 3), ...counted('block'), ...be(4, 0), ...be(4, 1)]], 'FMT_QEMU_STREAM'],
    ['has a section without its footer', [header(), ramStart([...table(['pc.ram', 0x1000]), ...eos, ...footer(3)])], 'FMT_QEMU_STREAM'],
    ['has a footer of something else', [header(), ramStart([...table(['pc.ram', 0x1000]), ...eos, 1])], 'FMT_QEMU_STREAM'],
    ['has an endless description', [header(), end, [6, ...be(4, 0x1000001)]], 'FMT_BODY_TOO_LARGE'],
    ['ends in its memory', [header(), ramStart().slice(0, -20)], 'FMT_TRUNCATED'],
    ['ends in a device', [header(), device(4, 'cpu', [1]).slice(0, -1)], 'FMT_TRUNCATED'],
    ['ends behind a footer', [header(), device(4, 'cpu', [1])], 'FMT_TRUNCATED'],
    ['has no end', [header()], 'FMT_TRUNCATED'],
  ])('is refused when it %s', async (_, parts, code) => {
    await expect(stream(...parts)).rejects.toMatchObject({ code })
  })
})

describe('memory is refused', () => {
  const ram = (...payload: readonly (readonly number[])[]): Promise<unknown> => stream(header(), ramStart(payload.flat()))

  it.each<[string, readonly (readonly number[])[], RegExp]>([
    ['when blocks are more than their sum', [be(8, 0x1004), [...counted('a'), ...be(8, 0x2000)]], /RAM block 'a' of 8192 bytes/],
    ['when a block is empty', [be(8, 0x1004), [...counted('a'), ...be(8, 0)]], /RAM block 'a' of 0 bytes/],
    ['when a block is there twice', [table(['a', 0x1000], ['a', 0x1000])], /RAM block 'a'/],
    ['when there are too many blocks', [table(...Array.from({ length: 4097 }, (_, i) => [String(i), 4096] as const))], /RAM block '4096'/],
    ['when a page lies behind its block', [table(['a', 0x1000]), zeroPage(0x1000, 'a')], /a page at 4096 of a/],
    ['when a page is of an unknown block', [zeroPage(0, 'b')], /'b', which was not announced/],
    ['when a page is of no block', [zeroPage(0)], /there was none/],
    ['when a page is filled with ones', [table(['a', 0x1000]), zeroPage(0, 'a', 1)], /filled with 1/],
    ['when it is compressed', [be(8, 0x40)], /RAM flags 0x40/],
    ['when its end has an address', [be(8, 0x1010)], /RAM flags 0x10 at address 0x1000/],
    ['when an address is beyond reason', [[1, 0, 0, 0, 0, 0, 0, 8]], /RAM address/],
    ['when a page is cut', [table(['a', 0x1000]), page(0, 1, 'a').slice(0, 100)], /the stream ended/],
  ])('%s', async (_, parts, what) => {
    const cut = parts.flat().length < 200 && String(what).includes('ended')
    await expect(cut ? all(reading([header(), ramStart(parts.flat()).slice(0, -5)]).qemu.stream()) : ram(...parts)).rejects.toThrow(what)
  })
})

describe('the body of a device ends', () => {
  const bodyOf = async (...parts: readonly (readonly number[])[]): Promise<readonly (readonly number[])[]> =>
    (await stream(header(), ...parts)).flatMap((item) => (item.kind === 'section' && item.body !== undefined ? [[...item.body]] : []))

  it('at a footer behind which a section begins, not at bytes that look like one', async () => {
    const looks = [...footer(4), 0, 0]
    const other = [...footer(4), 4, ...be(4, 4), ...counted('cpu')]
    const unnamed = [...footer(4), 4, ...be(4, 9), 0]
    const odd = [...footer(4), 4, ...be(4, 9), 2, 1, 2]
    const long = [...footer(4), 4, ...be(4, 9), 128]
    const neither = [...footer(4), 3, 3]
    const body = [...looks, ...other, ...unnamed, ...odd, ...long, ...neither, 0x7e]
    expect(await bodyOf(device(4, 'cpu', body), device(5, 'apic', [1]), end, description())).toEqual([body, [1]])
  })

  it('at the end of the state of a checkpoint', async () => {
    const { qemu } = reading([])
    const devices = [...device(0, 'timer', [...footer(0), 0]), ...device(4, 'cpu', []), 0]
    expect((await qemu.devices(Uint8Array.from(devices))).map(({ name, body }) => [name, body?.length])).toEqual([['timer', 6], ['cpu', 0]])
    await expect(qemu.devices(Uint8Array.from([0, 1]))).rejects.toThrow('1 bytes behind the last device')
    await expect(qemu.devices(Uint8Array.from([...ramStart(), 0]))).rejects.toThrow('memory among the devices')
    await expect(qemu.devices(Uint8Array.from([...device(4, 'cpu', [1]), 4]))).rejects.toMatchObject({ code: 'FMT_TRUNCATED' })
    await expect(qemu.devices(Uint8Array.from([]))).rejects.toMatchObject({ code: 'FMT_TRUNCATED' })
  })

  it('somewhere within reason', async () => {
    const endless = new ByteReader(sourceOfBytes(new Uint8Array(1000)))
    await expect(readDeviceBody(endless, { id: 4, seen: new Set(), last: 'end-of-bytes' }, 900)).rejects.toMatchObject({ code: 'FMT_BODY_TOO_LARGE', offset: 0 })
  })
})

describe('a command', () => {
  it('other than that of COLO makes no secondary', async () => {
    const { qemu } = reading([header(), command(2, [0, 0, 0, 1]), command(99), end])
    expect(await all(qemu.stream())).toMatchObject([{}, { kind: 'command', name: 'ping' }, { kind: 'command', name: undefined }, { kind: 'end' }])
    expect(qemu.colo).toBe(false)
  })
})

describe('a checkpoint', () => {
  it('has memory only, of the block of the page before', async () => {
    const ram = memory()
    const { qemu } = reading([...whole, ramMore(3, page(0, 5)), end], ram)
    await all(qemu.stream())
    expect(await all(qemu.live())).toMatchObject([{ kind: 'section', section: 'end', ram: { pages: 1, zeroPages: 0 } }, { kind: 'end' }])
    expect(ram.of.get('rom')?.[0]).toBe(5)
  })

  it('has no devices among it', async () => {
    const { qemu } = reading([...whole, device(9, 'late', [])])
    await all(qemu.stream())
    await expect(all(qemu.live())).rejects.toThrow("'late' is sent where memory is")
  })
})

describe('a recorded pair of QEMU 7.2', () => {
  it('is understood from the first byte to where the primary was killed', async () => {
    const bytes = gunzipSync(readFileSync(new URL('../../vectors/qemu/rom-killed-primary.p2s.gz', import.meta.url)))
    const reader = new ByteReader(sourceOfBytes(bytes))
    const qemu = new QemuReader(reader, silent)
    const initial = await all(qemu.stream())
    expect(initial.filter(({ kind }) => kind === 'section').length).toBe(34)
    const said: string[] = []
    for (let message = await readColoMessage(reader); message !== undefined; message = await readColoMessage(reader)) {
      said.push(message.name)
      if (message.name === 'vmstate-send') expect(await all(qemu.live())).toMatchObject([{ ram: { pages: 64 } }, {}])
      if (message.size !== undefined) expect((await qemu.devices(await reader.copy(message.size))).length).toBe(31)
    }
    expect(said.length % 3).toBe(0)
    expect(said.slice(0, 3)).toEqual(['checkpoint-request', 'vmstate-send', 'vmstate-size'])
    expect(reader.offset).toBe(bytes.length)
  })
})
