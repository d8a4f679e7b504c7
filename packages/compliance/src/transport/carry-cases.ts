import type { Channel } from '@xen-replication/plugin-api'
import assert from 'node:assert/strict'
import { check, failsWith, type Case } from '../case.ts'
import { cut, pattern, readAll, sameBytes } from './bytes.ts'
import type { LinkBench, LinkTraits } from './link-bench.ts'

const KIB = 1024
const MIB = 1024 * KIB

/** What is written, and in which sizes it is read. */
interface Sending {
  readonly write: (near: Channel) => Promise<void>
  readonly reads?: readonly number[]
}

/** Every link, stored ones too: what is written comes out, all of it, in order, as little at a time as is asked for. */
export function carryCases(traits: LinkTraits): readonly Case<LinkBench>[] {
  const carries = (name: string, wanted: Uint8Array, how: Sending): Case<LinkBench> =>
    check(name, async (bench) => sameBytes(await carry(bench, traits, how), wanted))
  const small = pattern(10_000)
  const medium = pattern(300_000)
  const large = pattern(9 * MIB + 3)
  const pages = pattern(3000 * 4096)
  return [
    carries('a read gives no more than it is asked for, and nothing is lost between reads', small, { write: (near) => near.write([small]), reads: [1, 2, 3, 5, 7, 11, 255, 256, 257] }),
    carries('writes come out in their order, wherever they are cut', medium, {
      write: (near) => writeEach(near, cut(medium, [1, 4096, 17, 70_000, 8, 3])),
      reads: [8, 4096, 1, 65_536, 3],
    }),
    carries('parts of one write come out in their order', medium, { write: (near) => near.write(cut(medium, [24, 4096, 4096, 1, 7])), reads: [24, 5000] }),
    carries('a thousand writes of one byte come out as a thousand bytes', small.subarray(0, 1000), { write: (near) => writeEach(near, cut(small.subarray(0, 1000), [1])) }),
    carries('one write of nine megabytes comes out whole', large, { write: (near) => near.write([large]) }),
    carries('three thousand pages in one write come out whole', pages, { write: (near) => near.write(cut(pages, [4096])) }),
    carries('large and small parts in one write keep their order', large, { write: (near) => near.write(cut(large, [8, MIB, 24, 300 * KIB, 1, 4096])) }),
    carries('parts without bytes do no harm', small, {
      write: async (near) => {
        await near.write([])
        await near.write([new Uint8Array(0), small, new Uint8Array(0)])
        await near.write([new Uint8Array(0)])
      },
    }),
    carries('a link that ends without a byte is empty, not broken', new Uint8Array(0), { write: () => Promise.resolve() }),
    reuseCase(traits),
    ...endCases(traits),
  ]
}

/** Little enough that every link takes it while nobody reads. */
function reuseCase({ kind }: LinkTraits): Case<LinkBench> {
  const bytes = pattern(12_000, 6)
  return check('bytes may be reused once their write is done', async (bench) => {
    const far = kind === 'live' ? await bench.far() : undefined
    const buffer = new Uint8Array(3000)
    for (const part of cut(bytes, [buffer.length])) {
      buffer.set(part)
      await bench.near.write([buffer])
      buffer.fill(0xee)
    }
    await bench.near.end()
    sameBytes(await readAll(far ?? (await bench.far())), bytes)
  })
}

function endCases(traits: LinkTraits): readonly Case<LinkBench>[] {
  return [
    check('after the end every read says so', async (bench) => {
      const far = await ended(bench, traits, pattern(10))
      await readAll(far)
      assert.equal(await far.read(1), undefined)
      assert.equal(await far.read(1), undefined)
    }),
    check('ending twice is the same as once', async (bench) => {
      await bench.near.end()
      await bench.near.end()
      sameBytes(await readAll(await bench.far()), new Uint8Array(0))
    }),
    check('nothing can be written after the end', async ({ near }) => {
      await near.end()
      await failsWith(() => near.write([pattern(1)]), ['LINK_CLOSED'], 'a write after end()')
    }),
    check('nothing can be written after closing, and closing twice does no harm', async ({ near }) => {
      await near.close()
      await near.close()
      await failsWith(() => near.write([pattern(1)]), ['LINK_CLOSED'], 'a write after close()')
      await failsWith(() => near.end(), ['LINK_CLOSED'], 'end() after close()')
    }),
    check('nothing can be read after closing, not even what had come', async (bench) => {
      const far = await ended(bench, traits, pattern(1000))
      await far.read(1)
      await far.close()
      await failsWith(async () => far.read(1), ['LINK_CLOSED'], 'a read after close()')
    }),
  ]
}

/** Has `near` write something and end; reads it all at the far end, at the same time or afterwards. */
async function carry(bench: LinkBench, { kind }: LinkTraits, { write, reads }: Sending): Promise<Uint8Array> {
  const send = async (): Promise<void> => {
    await write(bench.near)
    await bench.near.end()
  }
  if (kind === 'stored') {
    await send()
    return readAll(await bench.far(), reads)
  }
  const far = await bench.far()
  const [got] = await Promise.all([readAll(far, reads), send()])
  return got
}

async function ended(bench: LinkBench, { kind }: LinkTraits, bytes: Uint8Array): Promise<Channel> {
  const early = kind === 'live' ? await bench.far() : undefined
  await bench.near.write([bytes])
  await bench.near.end()
  return early ?? bench.far()
}

async function writeEach(near: Channel, parts: readonly Uint8Array[]): Promise<void> {
  for (const part of parts) await near.write([part])
}
