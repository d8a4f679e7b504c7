import { ByteReader, sourceOfBytes, sourceOfChunks, verify, viewOf } from '@xen-replication/format'
import type { GuestKind } from '@xen-replication/hypervisor'
import { describe, expect, it } from 'vitest'
import { readStream } from '../../src/read/read-stream.ts'
import { openStreamRestorer, type StreamStop } from '../../src/read/stream-restorer.ts'
import { corpus, corpusStream, vector, vectors, type VectorInfo } from '../fixtures.ts'
import { SmallGuest } from '../small-guest.ts'

/** The one stream that Xen takes and we do not: there is no guest in it. */
const EMPTY = 'bad_xl2_no_xc'

/** What a stream of checkpoints is told to be; the vectors tell it by their names. */
const typeOf = ({ name, streamType }: VectorInfo): VectorInfo['streamType'] => (name === 'ok_xl2_remus' ? 'remus' : streamType)

async function restore(info: VectorInfo): Promise<{ guest: SmallGuest; stop: StreamStop | undefined; error: unknown }> {
  const guest = new SmallGuest({ kind: info.name.includes('pv') ? 'pv' : 'hvm' })
  const restorer = openStreamRestorer(new ByteReader(sourceOfBytes(vector(info.name))), guest.port, { streamType: typeOf(info) })
  try {
    const stop = await readStream(restorer)
    if (stop.why === 'failover') await restorer.complete()
    return { guest, stop, error: stop.why === 'lost' ? stop.error : undefined }
  } catch (error) {
    return { guest, stop: undefined, error }
  }
}

describe('what Xen restores is restored', () => {
  for (const info of vectors.filter(({ name, xen }) => xen === 'accept' && name !== EMPTY)) {
    it(`${info.name}: ${info.reason}`, async () => {
      const { guest, error } = await restore(info)
      expect(error).toBeUndefined()
      expect(guest).toMatchObject({ mapped: 0, closed: 0, completions: 1 })
    })
  }

  it('but for a stream without a guest in it', async () => {
    const { guest, error } = await restore({ name: EMPTY, format: 'libxl', streamType: 'plain', xen: 'accept', reason: '' })
    expect(error).toMatchObject({ code: 'XL2_NO_LIBXC', offset: 64 })
    expect(guest).toMatchObject({ closed: 1, completions: 0 })
  })
})

describe('what Xen refuses is refused, with a code and the place', () => {
  for (const info of vectors.filter(({ xen }) => xen === 'reject')) {
    it(`${info.name}: ${info.reason}`, async () => {
      const { guest, error } = await restore(info)
      const { findings } = await verify(new ByteReader(sourceOfBytes(vector(info.name))), { format: 'libxl', streamType: info.streamType })
      const { code, offset } = error as { code: string; offset: number }
      expect(findings.filter(({ xen }) => xen === 'reject').map((finding) => `${finding.code} at ${finding.offset}`)).toContain(`${code} at ${offset}`)
      expect(guest).toMatchObject({ mapped: 0, closed: 1, completions: 0 })
    })
  }
})

/** Passes over the header and the block of an `xl` file. */
async function streamOf(name: string): Promise<ByteReader> {
  const reader = new ByteReader(sourceOfChunks(corpusStream(name)))
  const front = await reader.peek(48)
  if (front[0] === 0x58) await reader.skip(48 + viewOf(front).getUint32(44, true))
  return reader
}

describe('a stream captured from a real Xen', () => {
  for (const { name, checkpoints } of corpus) {
    const kind = (/^[a-z]+/.exec(name) as RegExpExecArray)[0] as GuestKind
    const remus = name.includes('remus')
    it(`${name} is read to where it ends, checkpoint by checkpoint`, { timeout: 60_000 }, async () => {
      const guest = new SmallGuest({ kind })
      const restorer = openStreamRestorer(await streamOf(name), guest.port, { streamType: remus ? 'remus' : 'plain' })
      const epochs: number[] = []
      const stop = await readStream(restorer, { checkpointed: (epoch) => Promise.resolve(void epochs.push(epoch)) })
      expect(stop.why).toBe(name.includes('died') ? 'lost' : remus ? 'failover' : 'end')
      expect(epochs).toEqual(Array.from({ length: checkpoints }, (_, i) => i))
      expect(guest.states).toHaveLength(kind !== 'hvm' ? 0 : remus ? checkpoints : 1)
      expect(guest.states.every((state) => String.fromCharCode(...state.subarray(0, 4)) === 'QEVM')).toBe(true)
      if (stop.why === 'failover') await restorer.complete()
      if (stop.why === 'lost') expect(stop.error).toMatchObject({ code: expect.stringMatching(/^XC_/) as string, offset: expect.any(Number) as number })
      expect(guest).toMatchObject({ mapped: 0, completions: stop.why === 'lost' ? 0 : 1, closed: stop.why === 'lost' ? 1 : 0 })
    })
  }
})
