import { isXrError } from '@xen-replication/errors'
import { ByteReader, sourceOfBytes } from '@xen-replication/format'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { restoreImage } from '../../src/restore/restore-image.ts'
import { vector } from '../gold-vectors.ts'
import { TestGuest } from './test-guest.ts'

const images = [
  ['ok_xc_v3_pv64', 'pv', 'plain'],
  ['ok_xc_v3_pv32', 'pv', 'plain'],
  ['ok_xc_v2_hvm', 'hvm', 'plain'],
  ['ok_xc_v3_hvm_verify_mismatch', 'hvm', 'plain'],
  ['ok_xc_v3_remus_two', 'pvh', 'checkpointed'],
] as const

/** Bytes where a stream has structure, which is where damage is of interest: all but the inside of pages. */
const structured = (bytes: Uint8Array): readonly number[] => Array.from(bytes.keys()).filter((at) => at < 400 || at > bytes.length - 11_000 || bytes[at] !== 0)

describe('an image with damaged bytes', () => {
  for (const [name, kind, mode] of images) {
    it(`made of ${name} is restored or refused with a code and a place; nothing stays mapped`, async () => {
      const whole = vector(name)
      const places = structured(whole)
      const damage = fc.array(fc.tuple(fc.nat(places.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      await fc.assert(
        fc.asyncProperty(damage, fc.option(fc.nat(whole.length)), async (changes, cut) => {
          const bytes = whole.slice(0, cut ?? whole.length)
          for (const [i, byte] of changes) bytes[places[i] as number] = byte
          const guest = new TestGuest({ kind, pagesMax: 4000 })
          const error: unknown = await restoreImage(new ByteReader(sourceOfBytes(bytes)), guest.port, { mode, heldBytesMax: 1 << 20 }).then(
            () => undefined,
            (thrown: unknown) => thrown,
          )
          expect(guest.mapped).toBe(0)
          expect(guest.closed).toBe(error === undefined ? 0 : 1)
          if (error === undefined) return
          expect(error).toSatisfy(isXrError)
          if (isXrError(error) && error.code !== 'BACKEND_MEMORY') expect(error.offset).toBeTypeOf('number')
        }),
        { numRuns: 150, seed: 7 },
      )
    })
  }
})
