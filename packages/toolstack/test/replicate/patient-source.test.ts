import type { ByteSource } from '@xen-replication/format'
import { describe, expect, it } from 'vitest'
import { patientSource } from '../../src/replicate/patient-source.ts'

const clock = { now: () => 0, sleep: (ms: number, signal?: { readonly aborted: boolean }) => new Promise<void>((resolve) => setTimeout(() => (signal?.aborted === true ? undefined : resolve()), ms)) }
const source = (read: ByteSource['read']): ByteSource => ({ read })

describe('bytes that are waited for', () => {
  it('come as they are, those that are there without a promise', async () => {
    expect(patientSource(source(() => Uint8Array.of(1)), clock, 1).read(9)).toEqual(Uint8Array.of(1))
    expect(await patientSource(source(() => Promise.resolve(undefined)), clock, 50).read(9)).toBeUndefined()
  })

  it('are given up after the time, as a lost link', async () => {
    await expect(patientSource(source(() => new Promise(() => undefined)), clock, 5).read(9)).rejects.toMatchObject({ code: 'LINK_TIMEOUT' })
  })

  it('fail as their source does', async () => {
    await expect(patientSource(source(() => Promise.reject(new Error('gone'))), clock, 50).read(9)).rejects.toThrow('gone')
  })
})
