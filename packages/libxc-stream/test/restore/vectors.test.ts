import { isXrError } from '@xen-replication/errors'
import { ByteReader, sourceOfBytes, verify } from '@xen-replication/format'
import { describe, expect, it } from 'vitest'
import { restoreImage } from '../../src/restore/restore-image.ts'
import { vector } from '../gold-vectors.ts'
import { vectors, type VectorInfo } from './fixtures.ts'
import { TestGuest } from './test-guest.ts'

const libxc = vectors.filter(({ format }) => format === 'libxc')

/** Faults whose place the restorer knows better: the page table within its record, the vCPU's record and not the end. */
const NAMED_CLOSER = ['XC_PTE_RANGE', 'XC_CR3', 'XC_GDT']

async function restore({ name, domain, streamType }: VectorInfo, bytes = vector(name)): Promise<{ guest: TestGuest; error: unknown }> {
  const guest = new TestGuest({ kind: domain === 'pv' ? 'pv' : 'hvm', maxVcpuId: 0 })
  const mode = streamType === 'plain' ? 'plain' : 'checkpointed'
  try {
    await restoreImage(new ByteReader(sourceOfBytes(bytes)), guest.port, { mode })
    return { guest, error: undefined }
  } catch (error) {
    return { guest, error }
  }
}

describe('what Xen restores is restored', () => {
  for (const info of libxc.filter(({ xen }) => xen === 'accept')) {
    it(`${info.name}: ${info.reason}`, async () => {
      const { guest, error } = await restore(info)
      expect(error).toBeUndefined()
      expect(guest).toMatchObject({ mapped: 0, closed: 0, destroyed: false, completions: 1 })
    })
  }
})

describe('what Xen refuses is refused, with a code and the place', () => {
  for (const info of libxc.filter(({ xen }) => xen === 'reject')) {
    it(`${info.name}: ${info.reason}`, async () => {
      const { guest, error } = await restore(info)
      expect(isXrError(error), String(error)).toBe(true)
      expect(error).toMatchObject({ code: expect.stringMatching(/^XC_/) as string, offset: expect.any(Number) as number, hint: expect.any(String) as string })
      expect(guest).toMatchObject({ mapped: 0, closed: 1, destroyed: true, completions: 0 })
    })

    it(`${info.name} is refused where \`xr verify\` says that Xen does`, async () => {
      const { error } = await restore(info)
      const { findings } = await verify(new ByteReader(sourceOfBytes(vector(info.name))), {
        format: 'libxc',
        streamType: info.streamType,
        ...(info.domain === null ? {} : { domain: info.domain }),
      })
      const { code, offset } = error as { code: string; offset: number }
      if (NAMED_CLOSER.includes(code)) return expect(findings.map((finding) => finding.code as string)).toContain(code)
      const refusals = findings.filter(({ xen }) => xen === 'reject').map((finding) => `${finding.code} at ${finding.offset}`)
      expect(refusals).toContain(`${code} at ${offset}`)
    })
  }
})
