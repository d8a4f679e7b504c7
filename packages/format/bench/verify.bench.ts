import { crc32 } from 'node:zlib'
import { bench, describe } from 'vitest'
import { ByteReader } from '../src/bytes/byte-reader.ts'
import { sourceOfBytes } from '../src/bytes/byte-source.ts'
import { walk } from '../src/image/walk.ts'
import { verify } from '../src/rules/verify.ts'
import { vector } from '../test/vectors.ts'

const PAGES = 1024
const RECORDS = 64

/** An HVM image of 256 MiB: the small vector with its PAGE_DATA replaced by full batches. */
function largeImage(): Uint8Array {
  const small = vector('ok_xc_v3_hvm_tiny')
  const [front, tail] = [small.subarray(0, 48), small.subarray(72)]
  const record = 16 + PAGES * 4104
  const bytes = new Uint8Array(front.length + RECORDS * record + tail.length)
  const view = new DataView(bytes.buffer)
  bytes.set(front)
  for (let r = 0; r < RECORDS; r++) {
    const at = front.length + r * record
    view.setUint32(at, 1, true)
    view.setUint32(at + 4, record - 8, true)
    view.setUint32(at + 8, PAGES, true)
    for (let i = 0; i < PAGES; i++) view.setUint32(at + 16 + 8 * i, r * PAGES + i, true)
  }
  bytes.set(tail, front.length + RECORDS * record)
  return bytes
}

describe('256 MiB of pages in memory', () => {
  const bytes = largeImage()
  const reader = (): ByteReader => new ByteReader(sourceOfBytes(bytes))

  bench('walk', async () => {
    for await (const item of walk(reader())) void item
  })
  bench('verify, by all rules', async () => void (await verify(reader())))
  bench('verify, with all page contents', async () => void (await verify(reader(), { depth: 'data', digest: (page) => crc32(page) })), { iterations: 3 })
})

describe('a small image', () => {
  const bytes = vector('ok_xl2_tiny')
  bench('verify', async () => void (await verify(new ByteReader(sourceOfBytes(bytes)))))
})
