import { describe, expect, it } from 'vitest'
import { legacyChunkName } from '../../src/legacy/chunk-types.ts'
import { summariseLegacy } from '../../src/legacy/summary.ts'
import { block, context32, context64, hvm, page, pv, ulong, vcpu0, word } from './build.ts'
import { bytesOf, converted, readerOf, type Part } from './streams.ts'

const LIBXL = { to: 'libxl-v2' } as const
const LIBXC = { to: 'libxc-v3' } as const
const same = async (left: Promise<Uint8Array>, right: Promise<Uint8Array>): Promise<void> => expect(Buffer.compare(await left, await right)).toBe(0)
const region = (name: string, stray: string): Uint8Array => bytesOf(word(1, 1), ['q', 1, 2, 3], word(name.length), name, stray)

describe('a conversion', () => {
  it('gives the same image for either width of toolstack', async () => {
    const chunks = (width: 32 | 64): readonly Part[] => [...vcpu0, word(2), ulong(width, 0x1000_0003, 0xf000_0001), page(3)]
    await same(converted(pv(chunks(32), { width: 32 }), LIBXL), converted(pv(chunks(64)), LIBXL))
  })
  it('leaves out what Xen’s converter or restorer would stumble over', async () => {
    const filler = [word(1), ulong(64, 0xf000_0000)]
    const keys = [word(-18, 42), region('a\0', 'junk')]
    const unknown = [...block('vcpu', context64), ...block('????', page(1))]
    await same(converted(hvm(filler), LIBXL), converted(hvm([]), LIBXL))
    await same(converted(pv([...vcpu0, ...keys]), LIBXL), converted(pv(vcpu0), LIBXL))
    await same(converted(pv(vcpu0, { blocks: unknown }), LIBXL), converted(pv(vcpu0), LIBXL))
  })
  it('puts each QEMU record into the libxl stream, and as it is behind a libxc image', async () => {
    const plain = converted(hvm([]), LIBXL)
    for (const qemu of [['RemusDeviceModelState', word(4), 'QEVM'], ['QemuDeviceModelRecord', 'QEVM']] as const) {
      await same(converted(hvm([], { qemu }), LIBXL), plain)
      const image = await converted(hvm([], { qemu }), LIBXC)
      const record = bytesOf(...qemu)
      expect(Buffer.compare(image.subarray(-record.length), record)).toBe(0)
    }
  })
  it('does not read the toolstack blob for a libxc image', async () => {
    await same(converted(hvm([word(-18, 3), 'bad']), LIBXC), converted(hvm([]), LIBXC))
  })
  it('takes as many keys of the device model as there are', async () => {
    const count = 150_000
    const entry = bytesOf(['q', 1, 2, 3], word(4), 'vga\0', 'junk')
    const blob = bytesOf(word(1, count), new Uint8Array(count * entry.length).map((_, i) => entry[i % entry.length] as number))
    const keys = 'physmap/1/start_addr\x002\0physmap/1/size\x003\0physmap/1/name\0vga\0'
    expect((await converted(hvm([word(-18, blob.length), blob]), LIBXL)).length).toBeGreaterThan(count * keys.length)
  })
  it('is refused when the keys of the device model grow beyond what may be held', async () => {
    const blob = region('vga\0', 'junk')
    const options = { ...LIBXL, blobMax: 50 }
    await expect(converted(hvm([word(-18, blob.length), blob]), options)).rejects.toMatchObject({ code: 'FMT_BODY_TOO_LARGE', offset: 8 })
  })
  it('ends with an error when the stream is cut in the p2m frames', async () => {
    const cut = pv([]).subarray(0, 8 + 8 + 4 + 8 + 5168 + 4)
    await expect(converted(cut, LIBXL)).rejects.toMatchObject({ code: 'FMT_TRUNCATED', offset: cut.length })
  })
})

describe('the summary of a stream', () => {
  it('tells an HVM guest’s memory, parameters and device model', async () => {
    const chunks = [word(3), ulong(64, 1, 0xe000_0002, 0xf000_0000), page(1), word(1), ulong(64, 0xd000_0001), word(-8, 0), ['q', 77], word(-7, 2), ['q', 9], word(3, 4), word(-2, 4), ['q', 0x11], word(-18, 3), 'xyz', word(-9)] as const
    expect(await summariseLegacy(readerOf(hvm(chunks)))).toEqual({
      guest: 'hvm', width: 64, guestWidth: undefined, pages: 256n, batches: 2, types: { BROKEN: 1, XALLOC: 1 }, vcpus: [0, 4],
      hvmParams: new Map([[17, 77n], [5, 5n], [6, 6n], [1, 1n]]), tsc: { mode: 2, nsec: 9n, khz: 3, incarnation: 4 },
      qemu: { signature: 'DeviceModelRecord0002', bytes: 4 }, toolstack: 3, lastCheckpoint: true, compressed: false, verify: false, bytes: hvm(chunks).length,
    })
  })
  it('tells a 32-bit PV guest, compression and a verify pass', async () => {
    const stream = pv([...vcpu0, word(-1), word(-13)], { blocks: block('vcpu', context32), vcpus: [context32] })
    expect(await summariseLegacy(readerOf(stream))).toMatchObject({ guest: 'pv', guestWidth: 32, vcpus: [0], compressed: true, verify: true, qemu: undefined, tsc: undefined, types: {} })
  })
})

it('chunk types have names', () => {
  expect([7, 0, -2, -10, -21].map(legacyChunkName)).toEqual(['BATCH', 'END', 'VCPU_INFO', 'HVM_ACPI_IOPORTS_LOCATION', undefined])
})
