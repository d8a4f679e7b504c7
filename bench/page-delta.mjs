// How fast pages are packed against the copies that the peer has, and how short they become: `node bench/page-delta.mjs` prints a line for each share of
// words that change. Times are processor time, so that other work on the machine counts little.
import { cpus, loadavg } from 'node:os'
import { PageCopies } from '../packages/session/dist/pack/page-copies.js'
import { PAGE_BYTES } from '../packages/session/dist/pack/page-delta.js'
import { PagePacker, PageUnpacker } from '../packages/session/dist/pack/page-packer.js'

/** 64 MiB: more than caches hold. */
const PAGES = 16_384
const ROUNDS = 9
const pfns = Array.from({ length: PAGES }, (_, i) => i)

console.log(`${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}, load ${loadavg()[0].toFixed(1)}`)
console.log('words that change   bytes, of what they were   pack          unpack')
for (const share of [0, 0.001, 0.01, 0.05, 0.3, 1]) {
  const memory = states(share)
  const [packer, unpacker] = [new PagePacker(new PageCopies(PAGES)), new PageUnpacker(new PageCopies(PAGES))]
  unpacker.unpack(pfns, packer.pack(pfns, memory[0]))
  const packs = []
  const unpacks = []
  let bytes = 0
  for (let round = 1; round <= ROUNDS; round++) {
    const began = cpuMs()
    const packed = packer.pack(pfns, memory[round % 2])
    const middle = cpuMs()
    unpacker.unpack(pfns, packed)
    packs.push(middle - began)
    unpacks.push(cpuMs() - middle)
    bytes = packed.length
  }
  console.log(`${(100 * share).toFixed(1).padStart(6)} %            ${(bytes / (PAGES * PAGE_BYTES)).toFixed(4).padStart(7)}                    ${speed(packs)}    ${speed(unpacks)}`)
}

/** Two states of memory between which so many of the words change, by chance. */
function states(share) {
  const [a, b] = [new Uint32Array((PAGES * PAGE_BYTES) / 4), new Uint32Array((PAGES * PAGE_BYTES) / 4)]
  let x = 88_172_645
  for (let i = 0; i < a.length; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    a[i] = x
    b[i] = (x >>> 8) / 2 ** 24 < share ? ~x : x
  }
  return [new Uint8Array(a.buffer), new Uint8Array(b.buffer)]
}

function cpuMs() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function speed(times) {
  const median = [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)]
  return `${((PAGES * PAGE_BYTES) / 2 ** 30 / (median / 1000)).toFixed(2)} GiB/s`
}
