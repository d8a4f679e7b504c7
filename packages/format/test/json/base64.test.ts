import fc from 'fast-check'
import { expect, it } from 'vitest'
import { base64Length, bytesOfBase64, writeBase64 } from '../../src/json/base64.ts'

const written = (bytes: Uint8Array): string => {
  const into = new Uint8Array(base64Length(bytes.length))
  writeBase64(bytes, into, 0)
  return Buffer.from(into).toString('ascii')
}

it('bytes become the base64 that everybody knows, and bytes again', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(written(bytes)).toBe(Buffer.from(bytes).toString('base64'))
      expect(bytesOfBase64(written(bytes))).toEqual(bytes)
    }),
  )
})

it('text that is not base64 is refused', () => {
  for (const text of ['A', 'AAA', 'AA=A', 'A===', '====', 'AA*A', 'AAA\u0141', '*A==', 'A*==', 'AA*=', 'AAAA\n']) {
    expect([text, bytesOfBase64(text)]).toEqual([text, undefined])
  }
})
