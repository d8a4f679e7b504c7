// Makes simulated guests whose memory holds something: a new one has little but zeros, which a host need not keep and a wire need not carry.
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { shell } from './measure.mjs'

const PAGE = 4096
const PAGE_DATA = 1
const END = 0
/** Types of entries from this one on have no page. */
const NO_CONTENT = 0xd
/** Of how many zero pages one stays as it is. */
const ZERO_OF = 16

/**
 * Makes a host with one guest, `demo`.
 *
 * @param host folder of the host, which is not there yet.
 * @param fill `noise`: 15 of 16 pages do not compress. `text`: they do. `zeros`: it stays as it was made.
 */
export function makeGuest({ xr, host, bytes, type = 'hvm', fill = 'noise' }) {
  const image = `${host}.xl`
  shell(`${xr} --mock-host '${host}' create demo -q --type ${type} --memory ${bytes / 2 ** 20}MiB --workload idle`)
  shell(`${xr} --mock-host '${host}' save -q demo '${image}'`)
  if (fill !== 'zeros') fillImage(image, fill)
  shell(`${xr} --mock-host '${host}' restore -q '${image}'`)
  rmSync(image)
}

/** Puts something into the zero pages of an `xl` file, one of sixteen left out. */
export function fillImage(path, fill) {
  const fd = openSync(path, 'r+')
  const contents = pageOf(fill)
  try {
    for (const { at, pages } of pageRecords(fd)) {
      const batch = new Uint8Array(pages * PAGE)
      readSync(fd, batch, 0, batch.length, at)
      const words = new Float64Array(batch.buffer)
      for (let page = 0; page < pages; page++) {
        const own = words.subarray((page * PAGE) / 8, ((page + 1) * PAGE) / 8)
        if (page % ZERO_OF !== 0 && own.every((word) => word === 0)) batch.set(contents(at / PAGE + page), page * PAGE)
      }
      writeSync(fd, batch, 0, batch.length, at)
    }
  } finally {
    closeSync(fd)
  }
}

/** Where pages lie in the file, record by record. */
function* pageRecords(fd) {
  const read = (length, at) => {
    const bytes = new Uint8Array(length)
    readSync(fd, bytes, 0, length, at)
    return new DataView(bytes.buffer)
  }
  const xl = 48 + read(4, 44).getUint32(0, true)
  for (let at = xl + 16 + 8 + 24 + 16, type = -1, length = 0; type !== END; at += 8 + 8 * Math.ceil(length / 8)) {
    const head = read(16, at)
    type = head.getUint32(0, true)
    length = head.getUint32(4, true)
    if (type !== PAGE_DATA) continue
    const entries = head.getUint32(8, true)
    const types = read(8 * entries, at + 16)
    let pages = 0
    for (let i = 0; i < entries; i++) if (types.getUint32(8 * i + 4, true) >>> 28 < NO_CONTENT) pages += 1
    yield { at: at + 16 + 8 * entries, pages }
  }
}

/** Gives a page that no other one is like. */
function pageOf(fill) {
  const pool = fill === 'noise' ? noise(1024 * PAGE + PAGE) : Buffer.alloc(1024 * PAGE + PAGE, 'the quick brown fox jumps over the lazy dog, and runs on; ')
  return (n) => {
    const at = (n * 8) % (1024 * PAGE)
    const page = pool.slice(at, at + PAGE)
    new DataView(page.buffer, page.byteOffset).setFloat64(0, n + 1)
    return page
  }
}

function noise(bytes) {
  const words = new Uint32Array(bytes / 4)
  let x = 0x2545f491
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    words[i] = x
  }
  return new Uint8Array(words.buffer)
}
