import { describe, expect, it } from 'vitest'
import { detectLegacy, settleKind } from '../../src/legacy/detect.ts'
import { hvm, pv, word } from './build.ts'
import { bytesOf, readerOf } from './streams.ts'

describe('guest kind and width', () => {
  it.each([
    ['a 64-bit HVM stream', hvm([]), { guest: 'hvm', width: 64 }],
    ['a 32-bit HVM stream', hvm([word(-9)], { width: 32 }), { guest: 'hvm', width: 32 }],
    ['a 64-bit PV stream', pv([]), { guest: 'pv', width: 64 }],
    ['a 32-bit PV stream', pv([], { width: 32 }), { guest: 'pv', width: 32 }],
  ] as const)('are told from the first 16 bytes of %s', (_, bytes, kind) => {
    expect(detectLegacy(bytes.subarray(0, 16))).toEqual(kind)
  })
  it('are told in part from fewer bytes', () => {
    expect(detectLegacy(new Uint8Array(7))).toEqual({})
    expect(detectLegacy(new Uint8Array(15))).toEqual({ width: 64 })
  })
  it('leave the guest open where neither marker nor chunk follows', () => {
    expect(detectLegacy(bytesOf(['q', 256], word(1025, 0)))).toEqual({ width: 64 })
    expect(detectLegacy(bytesOf(word(256, -21)))).toEqual({ width: 32 })
    expect(detectLegacy(bytesOf(['q', 256], word(4, 0)), 32)).toEqual({ guest: 'hvm', width: 32 })
  })
})

describe('what the user says', () => {
  it('is taken as it is, and the rest is told from the stream', async () => {
    const bytes = hvm([])
    expect(await settleKind(readerOf(new Uint8Array(0)), { guest: 'pv', width: 32 })).toEqual({ guest: 'pv', width: 32 })
    expect(await settleKind(readerOf(bytes), { guest: 'pv' })).toEqual({ guest: 'pv', width: 64 })
    expect(await settleKind(readerOf(bytes), { width: 32 })).toEqual({ guest: 'hvm', width: 32 })
  })
  it('is asked for when the stream does not tell', async () => {
    await expect(settleKind(readerOf(bytesOf(['q', 256], word(1025, 0))), {})).rejects.toMatchObject({ code: 'FMT_LEGACY_GUEST_UNKNOWN', offset: 0 })
  })
  it('is not asked for when the stream is too short to be one', async () => {
    await expect(settleKind(readerOf(new Uint8Array(15)), {})).rejects.toMatchObject({ code: 'FMT_TRUNCATED', offset: 15 })
    await expect(settleKind(readerOf(new Uint8Array(7)), { guest: 'hvm' })).rejects.toMatchObject({ code: 'FMT_TRUNCATED', offset: 7 })
    await expect(settleKind(readerOf(new Uint8Array(7)), { width: 32 })).rejects.toMatchObject({ code: 'FMT_TRUNCATED', offset: 7 })
  })
})
