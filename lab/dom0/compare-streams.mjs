// Two libxc streams of one guest that stood still, compared record by record. Fields that are time may differ; nothing else.
import { readFileSync } from 'node:fs'

const head = 24 + 16, tscInfo = 8, hvmContext = 9

/** @returns {{ type: number, body: Buffer, at: number }[]} the records after the image header and the domain header */
export function recordsOf(bytes) {
  const found = []
  for (let at = head; at + 8 <= bytes.length; ) {
    const type = bytes.readUInt32LE(at), size = bytes.readUInt32LE(at + 4)
    found.push({ type, body: bytes.subarray(at + 8, at + 8 + size), at })
    at += 8 + ((size + 7) & ~7)
  }
  return found
}

/** The HVM context's own records. @see Xen public/hvm/save.h */
function contextParts(body) {
  const found = new Map()
  for (let at = 0; at + 8 <= body.length; ) {
    const size = body.readUInt32LE(at + 4)
    found.set(`${body.readUInt16LE(at)}.${body.readUInt16LE(at + 2)}`, body.subarray(at + 8, at + 8 + size))
    at += 8 + size
  }
  return found
}

/** Ranges of bytes that differ, close ones taken together. */
function differing(a, b) {
  const ranges = []
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    if (a[at] === b[at]) continue
    if (ranges.length > 0 && at - ranges.at(-1)[1] < 8) ranges.at(-1)[1] = at
    else ranges.push([at, at])
  }
  return ranges
}

/**
 * Places where two streams differ, as `record N type T byte A..B` or `HVM context record TYPE.INSTANCE byte A..B`.
 *
 * @param {string} one @param {string} other files
 */
export function differences(one, other) {
  const a = readFileSync(one), b = readFileSync(other)
  const found = differing(a.subarray(0, head), b.subarray(0, head)).map(([from, to]) => `headers byte ${from}..${to}`)
  const [ra, rb] = [recordsOf(a), recordsOf(b)]
  if (ra.length !== rb.length) found.push(`${ra.length} records against ${rb.length}`)
  for (let n = 0; n < Math.min(ra.length, rb.length); n++) {
    const [x, y] = [ra[n], rb[n]]
    if (x.type !== y.type) return [...found, `record ${n} type ${x.type} against ${y.type}`]
    if (x.body.equals(y.body)) continue
    if (x.type !== hvmContext) found.push(...differing(x.body, y.body).slice(0, 4).map(([from, to]) => `record ${n} type ${x.type} byte ${from}..${to} (${x.body.length} against ${y.body.length} bytes)`))
    else found.push(...contextDifferences(x.body, y.body))
  }
  return found
}

function contextDifferences(one, other) {
  const [a, b] = [contextParts(one), contextParts(other)]
  if ([...a.keys()].join() !== [...b.keys()].join()) return [`HVM context holds ${[...a.keys()].join(' ')} against ${[...b.keys()].join(' ')}`]
  return [...a].flatMap(([key, part]) => differing(part, b.get(key)).map(([from, to]) => `HVM context record ${key} byte ${from}..${to}`))
}

/** Fields that are time, as [record, first byte, last byte]. They differ between two streams of Xen's own helper as well. */
const time = [
  [`type ${tscInfo}`, 8, 15], // X86_TSC_INFO: elapsed nanoseconds
  ['HVM context record 2.0', 1008, 1015], // hvm_hw_cpu.tsc
  ['HVM context record 2.1', 1008, 1015],
  ['HVM context record 13.0', 0, 3], // hvm_hw_pmtimer.tmr_val
]

/** Differences that are not time. @param {readonly string[]} list of `differences` */
export function unexplained(list) {
  return list.filter((difference) => {
    const [, where, from, to] = /^(?:record \d+ )?(.*) byte (\d+)\.\.(\d+)/.exec(difference) ?? []
    return !time.some(([record, first, last]) => where === record && Number(from) >= first && Number(to) <= last)
  })
}
