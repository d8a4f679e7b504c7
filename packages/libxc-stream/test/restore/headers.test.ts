import { describe, expect, it } from 'vitest'
import { restoreImage } from '../../src/restore/restore-image.ts'
import { end, readerOf, start, staticEnd } from './stream-of.ts'
import { TestGuest } from './test-guest.ts'

const patched = (at: number, byte: number): Uint8Array => {
  const bytes = start().slice()
  bytes[at] = byte
  return bytes
}

describe('headers that no restorer may take', () => {
  const wrong = [
    ['a damaged marker', 3, 0, 'XC_MARKER', 0],
    ['a damaged id', 9, 0, 'XC_ID', 8],
    ['version 4', 15, 4, 'XC_VERSION', 12],
    ['version 1', 15, 1, 'XC_VERSION', 12],
    ['big-endian records', 17, 1, 'XC_BIG_ENDIAN', 16],
    ['a type of guest that nobody knows', 24, 3, 'XC_DOMAIN_TYPE', 24],
    ['the other type of guest', 24, 1, 'XC_DOMAIN_MISMATCH', 24],
    ['pages of 8192 bytes', 28, 13, 'XC_PAGE_SHIFT', 28],
  ] as const
  for (const [what, at, byte, code, offset] of wrong) {
    it(what, async () => {
      const guest = new TestGuest({ kind: 'hvm' })
      await expect(restoreImage(readerOf(patched(at, byte), staticEnd, end), guest.port, { mode: 'plain' })).rejects.toMatchObject({ code, offset })
      expect(guest.calls).toEqual([])
    })
  }

  it('an HVM image for a PV domain', async () => {
    const guest = new TestGuest({ kind: 'pv' })
    await expect(restoreImage(readerOf(start(), staticEnd, end), guest.port, { mode: 'plain' })).rejects.toMatchObject({ code: 'XC_DOMAIN_MISMATCH' })
  })
})

it('an image that was converted from the legacy format says so', async () => {
  const seen: unknown[] = []
  await restoreImage(readerOf(patched(32, 0), staticEnd, end), new TestGuest({ kind: 'pvh' }).port, { mode: 'plain', observe: (event) => seen.push(event) })
  expect(seen[0]).toEqual({ type: 'image', version: 3, guest: 'hvm', converted: true })
})
