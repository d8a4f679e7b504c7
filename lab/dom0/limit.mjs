// limit.mjs BYTES: copies standard input to standard output, at most BYTES a second: a slower link.
import { readSync, writeSync } from 'node:fs'

const perSecond = Number(process.argv[2]), piece = Buffer.alloc(32 << 10), asleep = new Int32Array(new SharedArrayBuffer(4))
let owed = performance.now()
for (let size; (size = readSync(0, piece)) > 0; ) {
  for (let at = 0; at < size; ) at += writeSync(1, piece, at, size - at)
  owed = Math.max(owed, performance.now() - 20) + (size / perSecond) * 1000
  const early = owed - performance.now()
  if (early > 1) Atomics.wait(asleep, 0, 0, early)
}
