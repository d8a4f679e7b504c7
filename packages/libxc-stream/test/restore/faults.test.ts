import { ByteReader, sourceOfBytes, viewOf } from '@xen-replication/format'
import { describe, expect, it } from 'vitest'
import { BackendError } from '@xen-replication/hypervisor'
import { restoreImage } from '../../src/restore/restore-image.ts'
import { vector } from '../gold-vectors.ts'
import { TestGuest } from './test-guest.ts'

const images = [
  ['ok_xc_v3_pv64', 'pv', 'plain'],
  ['ok_xc_v3_pv32', 'pv', 'plain'],
  ['ok_xc_v3_hvm', 'hvm', 'plain'],
  ['ok_xc_v3_hvm_verify_mismatch', 'pvh', 'plain'],
  ['ok_xc_v3_remus_two', 'hvm', 'checkpointed'],
] as const

describe('a host that fails', () => {
  for (const [name, kind, mode] of images) {
    it(`at any call while ${name} is restored: the domain is destroyed, nothing stays mapped`, async () => {
      const bytes = vector(name)
      const all = new TestGuest({ kind })
      await restoreImage(new ByteReader(sourceOfBytes(bytes)), all.port, { mode })
      expect(all.calls.length).toBeGreaterThan(4)
      for (let fail = 1; fail <= all.calls.length; fail++) {
        const trouble = new BackendError('BACKEND_HOST', `call ${fail}`)
        const guest = new TestGuest({
          kind,
          before: (_, n) => {
            if (n === fail) throw trouble
          },
        })
        await expect(restoreImage(new ByteReader(sourceOfBytes(bytes)), guest.port, { mode })).rejects.toBe(trouble)
        expect(guest).toMatchObject({ mapped: 0, closed: 1, destroyed: true })
        expect(guest.calls).toHaveLength(fail)
      }
    })
  }

  it('at closing too: what went wrong first is told', async () => {
    const guest = new TestGuest({ kind: 'hvm' })
    const port = { ...guest.port, close: () => Promise.reject(new Error('stuck')) }
    await expect(restoreImage(new ByteReader(sourceOfBytes(new Uint8Array(0))), port, { mode: 'plain' })).rejects.toMatchObject({ code: 'XC_EMPTY' })
  })
})

/** Offsets at which a record begins or ends. */
function boundaries(bytes: Uint8Array): readonly number[] {
  const view = viewOf(bytes)
  const offsets = [0, 24]
  let at = 40
  while (at + 8 <= bytes.length) {
    offsets.push(at, at + 5, at + 8)
    at += 8 + Math.ceil(view.getUint32(at + 4, true) / 8) * 8
  }
  return offsets.filter((offset) => offset < bytes.length)
}

describe('a plain image that is cut', () => {
  for (const [name, kind] of images.filter(([, , mode]) => mode === 'plain')) {
    it(`behind any record of ${name}: no guest, the place is told, nothing stays mapped`, async () => {
      const bytes = vector(name)
      for (const cut of boundaries(bytes)) {
        const guest = new TestGuest({ kind })
        await expect(restoreImage(new ByteReader(sourceOfBytes(bytes.subarray(0, cut))), guest.port, { mode: 'plain' })).rejects.toMatchObject({
          code: expect.stringMatching(/^XC_(EMPTY|HEADER_CUT|RECORD_CUT|NO_END)$/) as string,
          offset: cut,
        })
        expect(guest).toMatchObject({ mapped: 0, closed: 1, destroyed: true, completions: 0 })
      }
    })
  }
})
