import fc from 'fast-check'
import { spawn, spawnSync } from 'node:child_process'
import { appendFileSync, closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ByteSource } from '@xen-replication/format'
import { FileSource } from '../../src/input/file-source.ts'
import { openImage } from '../../src/input/open-image.ts'
import { openSeekable } from '../../src/input/open-seekable.ts'
import { openDescriptor } from '../../src/input/descriptor.ts'
import { fileOf, scratch } from '../run-xr.ts'

const signal = new AbortController().signal
const pattern = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7919) >> 5)

/** Reads all, in pieces of the sizes given by turns; a negative size is passed over. */
async function drain(source: ByteSource, sizes: readonly number[]): Promise<readonly [offset: number, bytes: Uint8Array][]> {
  const pieces: [number, Uint8Array][] = []
  let offset = 0
  for (let i = 0; ; i++) {
    const size = sizes[i % sizes.length] as number
    if (size < 0) {
      const passed = source.skip?.(-size) ?? 0
      offset += passed
      if (passed < -size) return pieces
      continue
    }
    const bytes = await source.read(size)
    if (bytes === undefined) return pieces
    expect(bytes.length).toBeGreaterThan(0)
    expect(bytes.length).toBeLessThanOrEqual(size)
    pieces.push([offset, Uint8Array.from(bytes)])
    offset += bytes.length
  }
}

const expectPattern = (pieces: readonly (readonly [number, Uint8Array])[]): void => {
  for (const [offset, bytes] of pieces) expect(Buffer.compare(bytes, pattern.subarray(offset, offset + bytes.length))).toBe(0)
}

describe('a file', () => {
  it('gives its bytes in order, whatever is asked for and passed over', async () => {
    const path = fileOf(pattern)
    const size = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 40_000 }), fc.integer({ min: -40_000, max: -1 }))
    await fc.assert(
      fc.asyncProperty(fc.array(size, { minLength: 1, maxLength: 8 }), async (sizes) => {
        const image = await openImage(path, { signal })
        expectPattern(await drain(image.source, sizes))
        image.close()
      }),
      { numRuns: 60 },
    )
  })

  it('is read to its end', async () => {
    const image = await openImage(fileOf(pattern), { signal })
    expect(image).toMatchObject({ size: pattern.length, seekable: true })
    const pieces = await drain(image.source, [8, 8192, 50_000])
    expect(pieces.reduce((sum, [, bytes]) => sum + bytes.length, 0)).toBe(pattern.length)
    expect(await image.source.read(1)).toBeUndefined()
    image.close()
  })

  it('that grows meanwhile can be passed over as far as it goes now', async () => {
    const path = fileOf(pattern)
    const image = await openImage(path, { signal })
    expect(image.source.skip?.(60_000)).toBe(60_000)
    appendFileSync(path, new Uint8Array(30_000))
    expect(image.source.skip?.(100_000)).toBe(40_000)
    expect(image.source.skip?.(1)).toBe(0)
    image.close()
  })

  it('lets a signal in when reading takes long', async () => {
    const stop = new AbortController()
    const image = await openImage(fileOf(pattern), { signal: stop.signal })
    stop.abort()
    const forever = async (): Promise<void> => {
      for (;;) if ((await image.source.read(1)) === undefined) break
      const until = performance.now() + 100
      while (performance.now() < until);
      await image.source.read(1)
    }
    await expect(forever()).rejects.toMatchObject({ code: 'CLI_INTERRUPTED' })
    image.close()
  })

  it('that cannot be read any more is told', () => {
    const fd = openSync(fileOf(pattern), 'r')
    closeSync(fd)
    const source = new FileSource({ fd, size: () => 0 }, { path: 'gone', signal })
    expect(() => source.read(1)).toThrow(expect.objectContaining({ code: 'CLI_IO', message: expect.stringMatching(/^gone: EBADF/) as string }) as Error)
  })
})

describe('a pipe', () => {
  /** A named pipe that somebody writes 60 000 bytes to. */
  const piped = (): string => {
    const folder = scratch()
    const fifo = join(folder, 'fifo')
    spawnSync('mkfifo', [fifo])
    spawn('bash', ['-c', 'cat "$0" > "$1"', fileOf(pattern.subarray(0, 60_000), folder), fifo], { stdio: 'ignore' })
    return fifo
  }

  it('gives what was written, never more than was asked for', async () => {
    const image = await openImage(piped(), { signal })
    expect(image).toMatchObject({ size: undefined, seekable: false })
    const pieces = await drain(image.source, [8, 4096, 1])
    expectPattern(pieces)
    expect(pieces.reduce((sum, [, bytes]) => sum + bytes.length, 0)).toBe(60_000)
    expect(await image.source.read(1)).toBeUndefined()
    image.close()
  })

  it('can be read anywhere once it is copied', async () => {
    const image = await openSeekable(piped(), { signal })
    expect(image.size).toBe(60_000)
    expect(Buffer.compare(image.pread(1000, 500), pattern.subarray(1000, 1500))).toBe(0)
    expect(image.pread(59_990, 100)).toHaveLength(10)
    expect(image.pread(70_000, 100)).toHaveLength(0)
    const into = new Uint8Array(8)
    expect(image.pread(8, 8, into).buffer).toBe(into.buffer)
    expectPattern(await drain(image.source, [30_000]))
    expect(Uint8Array.from((await image.sourceAt(5).read(3)) ?? [])).toEqual(pattern.slice(5, 8))
    image.close()
  })
})

describe('other things', () => {
  it('may be read as devices', async () => {
    const image = await openImage('/dev/zero', { signal })
    expect(image.seekable).toBe(false)
    expect(await image.source.read(5)).toEqual(new Uint8Array(5))
    expect(await image.source.read(5)).toEqual(new Uint8Array(5))
    image.close()
    const empty = await openImage('/dev/null', { signal })
    expect(await empty.source.read(5)).toBeUndefined()
    empty.close()
  })

  it('are refused', () => {
    expect(() => openDescriptor(scratch())).toThrow(expect.objectContaining({ code: 'CLI_NOT_A_FILE' }) as Error)
    expect(() => openDescriptor('/nowhere/x')).toThrow(expect.objectContaining({ code: 'CLI_FILE_NOT_FOUND' }) as Error)
  })
})
