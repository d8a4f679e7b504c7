import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfBytes, sourceOfChunks, type ByteSource } from '../../src/bytes/byte-source.ts'
import { walk, type WalkOptions } from '../../src/image/walk.ts'
import { pageDataFront } from '../../src/libxc/page-data.ts'
import { verify } from '../../src/rules/verify.ts'
import { build, flat, hvm, libxl } from '../rules/image-builder.ts'
import { vector, vectors } from '../vectors.ts'

/** Gives the bytes in pieces of the given sizes, and one by one when these are used up; each piece is overwritten once the next is asked for. */
function inPieces(bytes: Uint8Array, sizes: readonly number[]): ByteSource {
  let at = 0
  let next = 0
  let given = new Uint8Array(0)
  return {
    read: (max) => {
      given.fill(0xee)
      const size = Math.min(max, sizes[next++] ?? 1, bytes.length - at)
      given = bytes.slice(at, (at += size))
      return Promise.resolve(size === 0 ? undefined : given)
    },
  }
}

/** All that a walk gives, bodies included. */
async function itemsOf(source: ByteSource, options: WalkOptions): Promise<readonly unknown[]> {
  const items: unknown[] = []
  for await (const item of walk(new ByteReader(source), options)) {
    if (item.kind !== 'record') items.push('bytes' in item ? { ...item, bytes: [...item.bytes] } : item)
    else {
      const { body, pages, ...rest } = item
      items.push({ ...rest, entries: pages && [...pages.entries], body: { offset: body.offset, length: body.length, bytes: hash(await body.all()) } })
    }
  }
  return items
}

const hash = (bytes: Uint8Array): string => {
  let sum = 0
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) | 0
  return `${bytes.length}:${sum}`
}

const digest = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 0)

/** Short enough to be read byte by byte. */
const short = vectors.filter(({ size }) => size < 20_000)

describe('a stream that comes byte by byte is the same stream', () => {
  for (const { name, format, streamType } of short) {
    it(name, async () => {
      const bytes = vector(name)
      expect(await itemsOf(inPieces(bytes, []), { format })).toEqual(await itemsOf(sourceOfBytes(bytes), { format }))
      const options = { format, streamType, depth: 'data', digest } as const
      expect(await verify(new ByteReader(inPieces(bytes, [])), options)).toEqual(await verify(new ByteReader(sourceOfBytes(bytes)), options))
    })
  }
})

const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 20_000 })), { maxLength: 60 })

describe('a stream cut anywhere by the network is the same stream', () => {
  for (const name of ['ok_xlfile_pv', 'ok_xl2_remus', 'ok_xc_v3_pv32', 'bad_xc_pd_extra', 'bad_xc_body_short', 'bad_xl2_xs_unterminated'] as const) {
    it(name, { timeout: 30_000 }, async () => {
      const bytes = vector(name)
      const items = await itemsOf(sourceOfBytes(bytes), {})
      const verification = await verify(new ByteReader(sourceOfBytes(bytes)), { depth: 'data', digest })
      await fc.assert(
        fc.asyncProperty(sizes, async (cuts) => {
          // What is left behind the cuts comes in large pieces, or this would take minutes.
          const whole = [...cuts, ...Array<number>(20).fill(bytes.length)]
          expect(await itemsOf(inPieces(bytes, whole), {})).toEqual(items)
          expect(await verify(new ByteReader(inPieces(bytes, whole)), { depth: 'data', digest })).toEqual(verification)
        }),
        { numRuns: 40 },
      )
    })
  }
})

/** A stream that goes on: reading past `end` is an error, as it would wait forever on a pipe that stays open. */
function openPipe(bytes: Uint8Array, end: number): ByteSource & { readonly given: () => number } {
  let at = 0
  return {
    read: (max) => {
      if (at + max > end) throw new Error(`byte ${end} asked for`)
      const piece = bytes.subarray(at, at + max)
      at += piece.length
      return piece.length === 0 ? undefined : piece
    },
    given: () => at,
  }
}

describe('nothing is asked for behind the outermost END', () => {
  for (const { name, format, streamType } of vectors.filter((info) => info.wellformed)) {
    it(name, async () => {
      const bytes = vector(name)
      let end = 0
      let reason = ''
      for await (const item of walk(new ByteReader(sourceOfBytes(bytes)), { format })) {
        end = item.offset
        if (item.kind === 'stop') reason = item.reason
      }
      if (reason !== 'end') return
      const pipe = openPipe(bytes, end)
      await verify(new ByteReader(pipe), { format, streamType })
      expect(pipe.given()).toBe(end)
    })
  }

  it('of a stream inside a longer pipe: what follows is there for the next reader', async () => {
    const { bytes } = build({ ...libxl, behind: [...flat(libxl), ...flat(hvm)] })
    const reader = new ByteReader(sourceOfChunks([bytes.subarray(0, 33), bytes.subarray(33, 300), bytes.subarray(300)]))
    const seen = []
    for (let image = 0; image < 3; image++) seen.push((await verify(reader)).verdict.strict)
    expect(seen).toEqual(['accept', 'accept', 'accept'])
    expect(await reader.some(1)).toBeUndefined()
  })
})

describe('a record is handed out as soon as its head is there, and the page list of PAGE_DATA', () => {
  for (const name of ['ok_xl2_remus', 'ok_xc_v3_remus_two', 'ok_xlfile_pv', 'gold_xc_hvm_live']) {
    it(name, async () => {
      const bytes = vector(name)
      const pipe = openPipe(bytes, bytes.length + 8) // a Remus stream may end behind any checkpoint, so the next head is asked for
      const late: unknown[] = []
      for await (const item of walk(new ByteReader(pipe))) {
        if (item.kind === 'record' && pipe.given() > item.body.offset + (item.pages === undefined ? 0 : pageDataFront(item.pages.count))) late.push(item)
      }
      expect(late).toEqual([])
    })
  }
})
