// Makes the images that are measured: a small HVM guest captured from a real Xen, its memory replaced by as much as is asked for.
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'

export const MIB = 2 ** 20
export const GIB = 2 ** 30
const PAGE = 4096
const BATCH = 1024
const PAGE_DATA = 1
/** Pfns in front of the device hole below 4 GiB, and the first one behind it. */
const HOLE = [0xf0000, 0x100000]
const XTAB = 0xf0000000

/**
 * Writes an `xl` file of an HVM guest: record heads and page tables are real; page contents are random-looking with some zero pages among
 * them, or, with `sparse`, holes of the file.
 *
 * @param bytes of guest memory.
 */
export function writeImage(path, bytes, { sparse = false } = {}) {
  const { front, back } = template()
  const fd = openSync(path, 'w')
  let at = 0
  const put = (data) => {
    for (let done = 0; done < data.length; ) done += writeSync(fd, data, done, data.length - done, at + done)
    at += data.length
  }
  const contents = sparse ? undefined : pagePool()
  put(front)
  for (const [first, count, type] of batches(bytes / PAGE)) {
    put(pageDataFront(first, count, type))
    if (type !== 0) continue
    if (contents !== undefined) put(contents(first, count))
    else at += count * PAGE
  }
  put(back)
  ftruncateSync(fd, at)
  closeSync(fd)
  return at
}

/** Runs of pfns, each one a record: memory, and the hole that the saver names as absent. */
function* batches(pages) {
  const [hole, behind] = HOLE
  const end = pages > hole ? pages + behind - hole : pages
  for (let pfn = 0; pfn < end; ) {
    const absent = pfn >= hole && pfn < behind
    const count = Math.min(BATCH, (absent ? behind : pfn < hole ? Math.min(hole, end) : end) - pfn)
    yield [pfn, count, absent ? XTAB : 0]
    pfn += count
  }
}

function pageDataFront(first, count, type) {
  const bytes = new Uint8Array(16 + 8 * count)
  const words = new Uint32Array(bytes.buffer)
  words[0] = PAGE_DATA
  words[1] = 8 + 8 * count + (type === 0 ? PAGE * count : 0)
  words[2] = count
  for (let i = 0; i < count; i++) {
    words[4 + 2 * i] = first + i
    words[5 + 2 * i] = type
  }
  return bytes
}

/** Gives contents of a batch: each page another part of a pool of noise with its pfn in front, one of sixteen zero. */
function pagePool() {
  const noise = new Uint32Array((BATCH * PAGE + PAGE) / 4)
  let x = 0x2545f491
  for (let i = 0; i < noise.length; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    noise[i] = x
  }
  const batch = new Uint32Array((BATCH * PAGE) / 4)
  return (first, count) => {
    batch.set(noise.subarray(first % 1024, (first % 1024) + batch.length))
    for (let i = 0; i < count; i++) {
      const at = (i * PAGE) / 4
      if ((first + i) % 16 === 0) batch.fill(0, at, at + PAGE / 4)
      else batch[at] = first + i
    }
    return new Uint8Array(batch.buffer, 0, count * PAGE)
  }
}

/** What stands before and behind the pages of a captured image. */
function template() {
  const file = new URL('../packages/format/corpus/hvm16-1v-save.xl.skel.br', import.meta.url)
  const bytes = new Uint8Array(brotliDecompressSync(readFileSync(file)))
  const view = new DataView(bytes.buffer)
  const xl = 48 + view.getUint32(44, true)
  let at = xl + 16 + 8 + 24 + 16 // libxl header, LIBXC_CONTEXT, image and domain headers
  let begin
  for (; ; at += 8 + 8 * Math.ceil(view.getUint32(at + 4, true) / 8)) {
    if (view.getUint32(at, true) === PAGE_DATA) begin ??= at
    else if (begin !== undefined) return { front: bytes.slice(0, begin), back: bytes.slice(at) }
  }
}
