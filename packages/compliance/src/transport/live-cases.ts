import type { Channel } from '@xen-replication/plugin-api'
import assert from 'node:assert/strict'
import { check, failsWith, settles, within, type Case } from '../case.ts'
import { cut, pattern, readAll, readExactly, sameBytes } from './bytes.ts'
import type { LinkBench, LinkTraits } from './link-bench.ts'

const MIB = 1024 * 1024
/** A sender nobody listens to has to wait before it has sent so much. */
const MOST_IN_TRANSIT = 64 * MIB
/** Long enough that what should happen at once has happened, in milliseconds. */
const A_WHILE = 300

/** Links whose ends are there at the same time. */
export function liveCases(traits: LinkTraits): readonly Case<LinkBench>[] {
  return [
    check('what is written arrives without waiting for more', async (bench) => {
      const far = await bench.far()
      for (const size of [1, 54, 5000, 1]) {
        const bytes = pattern(size)
        await bench.near.write([bytes])
        sameBytes(await within(5000, readExactly(far, size), `${size} bytes to arrive`), bytes)
      }
    }),
    check('a sender waits when nobody reads, and goes on when somebody does', async (bench) => {
      const far = await bench.far()
      const sent = await writeUntilStuck(bench.near)
      assert.ok(sent.stuck !== undefined, `${MOST_IN_TRANSIT / MIB} MiB were taken and nobody had read a byte`)
      const finished = sent.stuck.then(() => bench.near.end())
      const got = await readAll(far, [MIB])
      await finished
      assert.equal(got.length, sent.written)
    }),
    check('closing ends a read that waits', async (bench) => {
      const far = await bench.far()
      const reading = Promise.resolve(far.read(10))
      reading.catch(() => undefined)
      await far.close()
      await failsWith(within(5000, reading, 'the read to end'), ['LINK_CLOSED'], 'the read that waited')
    }),
    check('closing ends a write that waits', async (bench) => {
      await bench.far()
      const { stuck } = await writeUntilStuck(bench.near)
      assert.ok(stuck !== undefined, 'no write had to wait')
      stuck.catch(() => undefined)
      await within(10_000, bench.near.close(), 'close() while a write waits')
      await failsWith(within(5000, stuck, 'the write to end'), ['LINK_CLOSED'], 'the write that waited')
    }),
    ...lossCases(traits),
    ...(traits.duplex ? duplexCases : []),
  ]
}

function lossCases({ loss }: LinkTraits): readonly Case<LinkBench>[] {
  return [
    check('a sender learns that its peer is gone', async (bench) => {
      const far = await bench.far()
      await far.close()
      await failsWith(writeOn(bench.near), ['LINK_LOST'], 'writing on to nobody')
      await failsWith(() => bench.near.write([pattern(1)]), ['LINK_LOST'], 'the write after that')
    }),
    check('a reader learns that its peer is gone', async (bench) => {
      const far = await bench.far()
      await bench.near.write([pattern(10)])
      sameBytes(await readExactly(far, 10), pattern(10))
      const reading = Promise.resolve(far.read(10))
      reading.catch(() => undefined)
      await bench.near.close()
      if (loss === 'told') await failsWith(within(10_000, reading, 'the read to end'), ['LINK_LOST'], 'the read')
      else await within(10_000, reading.catch(() => undefined), 'the read to end')
    }),
  ]
}

const duplexCases: readonly Case<LinkBench>[] = [
  check('one side may end while the other goes on', async (bench) => {
    const far = await bench.far()
    await bench.near.write([pattern(100)])
    await bench.near.end()
    sameBytes(await readAll(far), pattern(100))
    await far.write([pattern(200_000, 2)])
    await far.write([pattern(5, 3)])
    const [got] = await Promise.all([readAll(bench.near), far.end()])
    sameBytes(got.subarray(0, 200_000), pattern(200_000, 2))
    sameBytes(got.subarray(200_000), pattern(5, 3))
  }),
  check('much goes both ways at once', async (bench) => {
    const far = await bench.far()
    const there = pattern(4 * MIB, 4)
    const back = pattern(4 * MIB, 5)
    const send = async (channel: Channel, bytes: Uint8Array): Promise<void> => {
      for (const part of cut(bytes, [100_000])) await channel.write([part])
      await channel.end()
    }
    const [arrived, returned] = await Promise.all([readAll(far), readAll(bench.near), send(bench.near, there), send(far, back)])
    sameBytes(arrived, there)
    sameBytes(returned, back)
  }),
  check('a question waits for its answer a thousand times', async (bench) => {
    const far = await bench.far()
    const answer = async (): Promise<void> => {
      for (;;) {
        const byte = await far.read(1)
        if (byte === undefined) return
        await far.write([byte.slice()])
      }
    }
    const ask = async (): Promise<void> => {
      for (let i = 0; i < 1000; i++) {
        await bench.near.write([Uint8Array.of(i)])
        assert.equal((await readExactly(bench.near, 1))[0], i & 0xff)
      }
      await bench.near.end()
    }
    await Promise.all([answer(), ask()])
  }),
]

interface Sent {
  readonly written: number
  /** The write that waits; undefined when all were taken. */
  readonly stuck: Promise<void> | undefined
}

async function writeUntilStuck(channel: Channel): Promise<Sent> {
  const part = pattern(MIB)
  for (let written = part.length; written <= MOST_IN_TRANSIT; written += part.length) {
    const stuck = channel.write(cut(part, [4096]))
    if (!(await settles(stuck, A_WHILE))) return { written, stuck }
    await stuck
  }
  return { written: MOST_IN_TRANSIT, stuck: undefined }
}

/** Writes until that fails; what is on its way is lost, so the first writes may seem to succeed. */
async function writeOn(channel: Channel): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    await channel.write([pattern(65_536)])
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
