import { describe, expect, it } from 'vitest'
import { imageOfBytes } from '../../src/transform/image-bytes.ts'
import { salvageOf, type Salvage } from '../../src/transform/salvage.ts'
import { readSnapshot } from '../../src/transform/snapshot.ts'
import { flat, hvm, join, libxl, libxlHeader, piece, pv, record, words, type Layout, type Part } from '../rules/image-builder.ts'
import { bytesOf, offsetOf } from './images.ts'

const param = (index: number, value: number): Part => record(0x0a, join(words(1, 0), words(index, 0, value, 0)))
const withDeviceModel = { ...libxl, image: flat({ ...hvm, beforeEnd: param(32, 0x100) }) }
const converted = { ...hvm, domain: piece(Uint8Array.from([2, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0])) }

const salvage = async (layout: Layout, cut: number, options?: { force: boolean }): Promise<Salvage> => salvageOf(await readSnapshot(imageOfBytes(bytesOf(layout).subarray(0, cut))), options)

describe('whether a guest can be salvaged', () => {
  it('it can when the image is whole', async () => {
    expect(await salvage(withDeviceModel, Infinity)).toEqual({ whole: true, withoutEmulator: false })
    expect(await salvage({ ...withDeviceModel, emulator: [] }, Infinity)).toEqual({ whole: true, withoutEmulator: true })
    expect(await salvage(pv, Infinity)).toEqual({ whole: true, withoutEmulator: false })
  })

  it('it can when only the last END is missing', async () =>
    expect(await salvage(withDeviceModel, offsetOf(withDeviceModel, 'beforeEnd'))).toEqual({ whole: false, withoutEmulator: false }))

  it('an HVM guest cannot without its device model, unless that is wanted', async () => {
    const cut = offsetOf(withDeviceModel, 'emulator') + 9
    await expect(salvage(withDeviceModel, cut)).rejects.toMatchObject({ code: 'FMT_NO_EMULATOR', offset: offsetOf(withDeviceModel, 'emulator') })
    expect(await salvage(withDeviceModel, cut, { force: true })).toEqual({ whole: false, withoutEmulator: true })
    const old = { ...libxl, image: flat(converted) }
    await expect(salvage(old, offsetOf(old, 'emulator'))).rejects.toMatchObject({ code: 'FMT_NO_EMULATOR' })
  })

  it('a PVH or PV guest can, for it has none', async () => {
    expect(await salvage(libxl, offsetOf(libxl, 'emulator'))).toEqual({ whole: false, withoutEmulator: false })
    const pvStream = { header: libxlHeader(), libxcContext: record(1), image: flat(pv), end: record(0) }
    expect(await salvage(pvStream, offsetOf(pvStream, 'end'))).toEqual({ whole: false, withoutEmulator: false })
    expect(await salvage({ ...libxl, image: flat({ ...hvm, beforeEnd: param(32, 0) }) }, offsetOf(libxl, 'emulator') + 32)).toMatchObject({ withoutEmulator: false })
  })

  it('it cannot without its processors', async () => {
    await expect(salvage({ ...hvm, context: [] }, Infinity)).rejects.toMatchObject({ code: 'FMT_NO_STATE' })
    await expect(salvage({ ...pv, vcpu: [] }, Infinity)).rejects.toMatchObject({ code: 'FMT_NO_STATE', message: expect.stringContaining('first vCPU') as string })
  })
})
