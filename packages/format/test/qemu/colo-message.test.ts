import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfBytes } from '../../src/bytes/byte-source.ts'
import { coloMessages, DEVICE_STATE_MAX, encodeColoMessage, readColoMessage } from '../../src/qemu/colo-message.ts'

const reading = (...bytes: readonly number[]): ByteReader => new ByteReader(sourceOfBytes(Uint8Array.from(bytes)))

describe('a COLO message', () => {
  it('is four bytes, the highest first; that of a size has eight more', () => {
    expect(encodeColoMessage('checkpoint-ready')).toEqual(Uint8Array.of(0, 0, 0, 0))
    expect(encodeColoMessage('vmstate-loaded')).toEqual(Uint8Array.of(0, 0, 0, 6))
    expect(encodeColoMessage('vmstate-size', 12925)).toEqual(Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0x32, 0x7d))
  })

  test.prop([fc.constantFrom(...coloMessages), fc.nat(DEVICE_STATE_MAX), fc.nat(9)])('is read as it was written, and nothing behind it', async (name, size, more) => {
    const sized = name === 'vmstate-size' ? size : undefined
    const reader = reading(...encodeColoMessage(name, sized), ...new Uint8Array(more))
    expect(await readColoMessage(reader)).toEqual({ offset: 0, name, size: sized })
    expect(reader.offset).toBe(sized === undefined ? 4 : 12)
  })

  it('is none where the connection ends', async () => {
    expect(await readColoMessage(reading())).toBeUndefined()
  })

  it('is refused where it is cut, unknown, or promises too much', async () => {
    await expect(readColoMessage(reading(0, 0, 0))).rejects.toMatchObject({ code: 'FMT_TRUNCATED', offset: 3 })
    await expect(readColoMessage(reading(0, 0, 0, 7))).rejects.toMatchObject({ code: 'FMT_COLO_MESSAGE', offset: 0 })
    await expect(readColoMessage(reading(0, 0, 0, 4, 0, 0, 0, 0))).rejects.toMatchObject({ code: 'FMT_TRUNCATED' })
    await expect(readColoMessage(reading(0, 0, 0, 4, 0, 0, 0, 0, 4, 0, 0, 1))).rejects.toMatchObject({ code: 'FMT_BODY_TOO_LARGE', offset: 4 })
    await expect(readColoMessage(reading(0, 0, 0, 4, 255, 255, 255, 255, 255, 255, 255, 255))).rejects.toMatchObject({ code: 'FMT_BODY_TOO_LARGE' })
  })

  it('cannot be written with a size where it has none, nor without', () => {
    expect(() => encodeColoMessage('vmstate-size')).toThrow('vmstate-size needs a size')
    expect(() => encodeColoMessage('vmstate-send', 1)).toThrow('vmstate-send has no size')
  })
})
