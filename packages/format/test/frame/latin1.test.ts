import { expect, it } from 'vitest'
import { bytesOfText, textOfBytes } from '../../src/frame/latin1.ts'
import { busy } from './there-and-back.ts'

it('any bytes survive as text of one character each', () => {
  const bytes = busy(20_000)
  expect(bytesOfText(textOfBytes(bytes))).toEqual(bytes)
  expect(textOfBytes(Uint8Array.of(0x41, 0, 0xff))).toBe('A\0\xff')
})

it('text with a character that is no byte has no bytes', () => {
  expect(bytesOfText('a€')).toBeUndefined()
})
