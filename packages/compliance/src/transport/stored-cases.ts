import assert from 'node:assert/strict'
import { check, type Case } from '../case.ts'
import { pattern, readAll, sameBytes } from './bytes.ts'
import type { LinkBench } from './link-bench.ts'

/** Links whose far end is opened afterwards. */
export const storedCases: readonly Case<LinkBench>[] = [
  check('what is not ended is not there', async (bench) => {
    await bench.near.write([pattern(100_000)])
    await bench.near.close()
    await assert.rejects(async () => readAll(await bench.far()), 'half of it can be read')
  }),
  check('closing after the end keeps everything', async (bench) => {
    await bench.near.write([pattern(100_000)])
    await bench.near.end()
    await bench.near.close()
    sameBytes(await readAll(await bench.far()), pattern(100_000))
  }),
  check('once it has ended a sender can ask whether all went well', async ({ near }) => {
    await near.write([pattern(10)])
    await near.end()
    assert.equal(await near.read(1), undefined)
  }),
]
