import { bench, describe } from 'vitest'
import { PageCopies } from '../../src/pack/page-copies.ts'
import { PAGE_BYTES } from '../../src/pack/page-delta.ts'
import { PagePacker, PageUnpacker } from '../../src/pack/page-packer.ts'

/** 64 MiB: more than caches hold. */
const PAGES = 16_384
const pfns = Array.from({ length: PAGES }, (_, i) => i)

/** Two states of memory between which so many of the words of each page change; packing one after the other is always the same work. */
function states(share: number): readonly [Uint8Array, Uint8Array] {
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

describe.each([0.001, 0.024, 0.05, 0.3, 1])('64 MiB of which %f of the words change', (share) => {
  const memory = states(share)
  const packer = new PagePacker(new PageCopies(PAGES))
  packer.pack(pfns, memory[0])
  let turn = 0
  bench('pack', () => void packer.pack(pfns, memory[(turn = 1 - turn)] as Uint8Array))
  const [there, here] = [new PagePacker(new PageCopies(PAGES)), new PageUnpacker(new PageCopies(PAGES))]
  here.unpack(pfns, there.pack(pfns, memory[0]))
  const packed = [there.pack(pfns, memory[1]).slice(), there.pack(pfns, memory[0]).slice()]
  bench('unpack', () => {
    for (const bytes of packed) here.unpack(pfns, bytes)
  })
})
