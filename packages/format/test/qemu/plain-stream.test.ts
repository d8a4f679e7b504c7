import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sinkOfBytes } from '../../src/bytes/byte-sink.ts'
import { sourceOfBytes } from '../../src/bytes/byte-source.ts'
import { encodeDevices, encodeNoPages, writeQemuStream, type QemuState, type QemuStreamOptions } from '../../src/qemu/plain-stream.ts'
import { QemuReader } from '../../src/qemu/qemu-reader.ts'
import type { QemuItem } from '../../src/qemu/stream-item.ts'
import { device } from './stream-builder.ts'

const PAGE = 4096
const devices = Uint8Array.from([...device(0, 'timer', [1]), ...device(7, 'cpu', [2, 3]), 0])
const state = (more: Partial<QemuState> = {}): QemuState => ({ machine: 'pc', blocks: [], ramId: 2, page: () => undefined, devices, ...more })

async function written(what: QemuState, options?: QemuStreamOptions): Promise<Uint8Array> {
  const sink = sinkOfBytes()
  await writeQemuStream(what, sink, options)
  return sink.bytes()
}

describe('a state written as a migration stream', () => {
  test.prop([fc.array(fc.array(fc.nat(3), { minLength: 1, maxLength: 200 }), { maxLength: 3 }), fc.integer({ min: 8, max: 900 })])('is read again as it was', async (fills, ramId) => {
    const blocks = fills.map((pages, i) => ({ name: `block ${i}`, length: pages.length * PAGE }))
    const fillOf = (name: string, offset: number): number => fills[Number(name.slice(6))]?.[offset / PAGE] ?? 0
    const bytes = await written(state({ blocks, ramId, page: ({ name }, offset) => (fillOf(name, offset) === 0 ? undefined : new Uint8Array(PAGE).fill(fillOf(name, offset))) }))
    const seen: number[][] = blocks.map(() => [])
    const items: QemuItem[] = []
    for await (const item of new QemuReader(new ByteReader(sourceOfBytes(bytes)), { blocks: () => undefined, page: ({ name }, _, page) => void seen[Number(name.slice(6))]?.push(page?.[4095] ?? 0) }).stream()) items.push(item)
    expect(seen).toEqual(fills)
    expect(items.flatMap((item) => (item.kind === 'section' ? [item.name] : []))).toEqual(['ram', 'ram', 'timer', 'cpu'])
    expect(items.at(-1)).toMatchObject({ kind: 'description' })
  })

  it('makes its reader a secondary where that is asked for, however large it is, and has a checkpoint in which nothing changed', async () => {
    const blocks = [{ name: 'pc.ram', length: 300 * PAGE }]
    const parts = [await written(state({ blocks, page: () => new Uint8Array(PAGE).fill(1) }), { colo: true }), encodeNoPages(2)]
    let pages = 0
    const qemu = new QemuReader(new ByteReader(sourceOfBytes(Uint8Array.from(Buffer.concat(parts)))), { blocks: () => undefined, page: () => void pages++ })
    const devicesFound = []
    for await (const item of qemu.stream()) if (item.kind === 'section' && item.body !== undefined) devicesFound.push(item)
    expect([qemu.colo, pages]).toEqual([true, 300])
    expect(encodeDevices(devicesFound)).toEqual(devices)
    const live = []
    for await (const item of qemu.live()) live.push(item)
    expect(live).toMatchObject([{ ram: { pages: 0, zeroPages: 0 } }, { kind: 'end' }])
    const [bare] = devicesFound.map((one) => ({ ...one, body: undefined }))
    expect(encodeDevices(bare === undefined ? [] : [bare]).length).toBeGreaterThan(1)
  })

  it('is refused when its devices have no end, or a name cannot be written', async () => {
    await expect(written(state({ devices: new Uint8Array(0) }))).rejects.toMatchObject({ code: 'FMT_VALUE' })
    await expect(written(state({ devices: Uint8Array.of(1) }))).rejects.toMatchObject({ code: 'FMT_VALUE' })
    await expect(written(state({ machine: 'pc€' }))).rejects.toMatchObject({ code: 'FMT_VALUE' })
    await expect(written(state({ blocks: [{ name: 'x'.repeat(256), length: PAGE }] }))).rejects.toMatchObject({ code: 'FMT_VALUE' })
    await expect(written(state({ blocks: [{ name: '€', length: PAGE }] }))).rejects.toMatchObject({ code: 'FMT_VALUE' })
  })
})
