import { expect, it } from 'vitest'
import { encodeRecord, recordHead } from '../../src/frame/encode.ts'

it('a record is its head, its body and zeros up to a multiple of 8', () => {
  expect(encodeRecord(0x8000_0002, Uint8Array.of(1, 2, 3))).toEqual(Uint8Array.of(2, 0, 0, 0x80, 3, 0, 0, 0, 1, 2, 3, 0, 0, 0, 0, 0))
  expect(encodeRecord(0, new Uint8Array(0))).toEqual(new Uint8Array(8))
  expect(recordHead(1, 0x0102)).toEqual(Uint8Array.of(1, 0, 0, 0, 2, 1, 0, 0))
})
