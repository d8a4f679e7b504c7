import { ByteReader } from '@xen-replication/format'
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { streamSource } from '../../src/io/stream-source.ts'

describe('a stream that libxl reads on', () => {
  it('is taken from where it stands, up to the byte that was asked for', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'xr-source-'))
    const bytes = Uint8Array.from({ length: 1_000_000 }, (_, i) => i % 251)
    writeFileSync(join(folder, 'stream'), bytes)
    const fd = openSync(join(folder, 'stream'), 'r')
    readSync(fd, new Uint8Array(100), 0, 100, null) // libxl's own records before the image
    const reader = new ByteReader(streamSource(fd))
    expect(Buffer.from(await reader.copy(8)).equals(bytes.subarray(100, 108))).toBe(true)
    expect(Buffer.from(await reader.copy(700_000)).equals(bytes.subarray(108, 700_108))).toBe(true)
    const next = new Uint8Array(4)
    readSync(fd, next, 0, 4, null)
    expect(Buffer.from(next).equals(bytes.subarray(700_108, 700_112))).toBe(true)
    expect((await reader.upTo(1_000_000)).length).toBe(1_000_000 - 700_112)
    expect(await reader.some(1)).toBeUndefined()
    closeSync(fd)
    rmSync(folder, { recursive: true })
  })

  it('is refused where it cannot be read', () => {
    expect(() => streamSource(99_999).read(10)).toThrow(expect.objectContaining({ code: 'HELPER_STREAM' }))
  })
})
