import { ByteReader, XC } from '@xen-replication/format'
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { streamSource } from '../../src/io/stream-source.ts'

describe('a stream that libxl reads on', () => {
  it('is taken from where it stands, to the end of the image', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'xr-source-'))
    const body = Buffer.alloc(700_000, 5)
    const head = Buffer.from(Uint32Array.of(XC.PAGE_DATA, body.length).buffer)
    writeFileSync(join(folder, 'stream'), Buffer.concat([Buffer.from('libxl'), Buffer.alloc(40, 1), head, body, Buffer.alloc(8), Buffer.from('libxl again')]))
    const fd = openSync(join(folder, 'stream'), 'r')
    readSync(fd, new Uint8Array(5), 0, 5, null)
    const reader = new ByteReader(streamSource(fd))
    expect(Buffer.from(await reader.copy(48)).equals(Buffer.concat([Buffer.alloc(40, 1), head]))).toBe(true)
    expect(body.equals(await reader.copy(700_000))).toBe(true)
    expect(Buffer.from(await reader.copy(8)).equals(Buffer.alloc(8))).toBe(true)
    const next = Buffer.alloc(11)
    readSync(fd, next, 0, 11, null)
    expect(next.toString()).toBe('libxl again')
    expect(await reader.some(1)).toBeUndefined()
    closeSync(fd)
    rmSync(folder, { recursive: true })
  })

  it('is refused where it cannot be read', () => {
    expect(() => streamSource(99_999).read(10)).toThrow(expect.objectContaining({ code: 'HELPER_STREAM' }))
  })
})
