import { ByteReader, sourceOfChunks, tableLevel, viewOf, XC } from '@xen-replication/format'
import { describe, expect, it } from 'vitest'
import { openImageRestorer } from '../../src/restore/image-restorer.ts'
import { restoreImage } from '../../src/restore/restore-image.ts'
import { corpusStream } from './fixtures.ts'
import { hashOf, lastWriter, type Expected } from './last-writer.ts'
import { TestGuest } from './test-guest.ts'

// The layer around the image is read by hand here: header of the xl file, its block, libxl header, LIBXC_CONTEXT.
async function inner(name: string): Promise<ByteReader> {
  const reader = new ByteReader(sourceOfChunks(corpusStream(name)))
  const front = await reader.peek(48)
  if (front[0] === 0x58) await reader.skip(48 + viewOf(front).getUint32(44, true))
  await reader.skip(24)
  return reader
}

/** The content of a page as an image would hold it: page tables with pfns. */
function savedContent(guest: TestGuest, pfn: number, type: number): Uint8Array {
  const bytes = guest.page(pfn).slice()
  if (guest.kind !== 'pv' || tableLevel(type) === 0) return bytes
  const view = viewOf(bytes)
  for (let at = 0; at < 4096; at += 8) {
    const entry = view.getBigUint64(at, true)
    if ((entry & 1n) === 0n) continue
    const mfn = Number((entry >> 12n) & 0xff_ffff_ffffn)
    view.setBigUint64(at, (entry & ~0x000f_ffff_ffff_f000n) | (BigInt(guest.pfn(mfn) as number) << 12n), true)
  }
  return bytes
}

/** Pages that a restorer changes, so that they are not as in the image. */
function changed(guest: TestGuest, { last }: Expected): ReadonlySet<number> {
  if (guest.kind !== 'pv') return new Set([1, 5, 6, 17].map((index) => Number(guest.params.get(index) ?? -1n)))
  const startInfo = guest.pfn(Number(viewOf(guest.vcpu(0, 'context') as Uint8Array).getBigUint64(616, true))) as number
  const console = guest.pfn(guest.completed?.console as number) as number
  const list = viewOf((last.get(`libxc ${XC.X86_PV_P2M_FRAMES}`) as Uint8Array).slice(8))
  const p2m = Array.from({ length: list.byteLength / 8 }, (_, i) => Number(list.getBigUint64(8 * i, true)))
  return new Set([startInfo, console, ...p2m])
}

const differing = (guest: TestGuest, expected: Expected): readonly number[] => {
  const exempt = changed(guest, expected)
  return [...expected.pages]
    .filter(([pfn, { type, hash }]) => hash !== undefined && !exempt.has(pfn) && hashOf(savedContent(guest, pfn, type)) !== hash)
    .map(([pfn]) => pfn)
}

const plain = [
  ['hvm16-1v-save.xl', 'hvm'],
  ['hvm16-1v-migrate-debug.fwd', 'hvm'],
  ['pvh128-1v-savec.xl', 'pvh'],
  ['pv96-1v-savec.xl', 'pv'],
  ['pv128-2v-migrate.fwd', 'pv'],
] as const

describe('a stream captured from a real Xen becomes the guest it holds', () => {
  for (const [name, kind] of plain) {
    it(`${name}: every page is as it was written last`, { timeout: 60_000 }, async () => {
      const guest = new TestGuest({ kind })
      let mismatches = 0
      const stop = await restoreImage(await inner(name), guest.port, { mode: 'plain', observe: ({ type }) => void (mismatches += type === 'verify-mismatch' ? 1 : 0) })
      const expected = await lastWriter(corpusStream(name))
      expect(stop).toEqual({ why: 'end', dropped: { records: 0, bytes: 0 } })
      expect(mismatches).toBe(0)
      expect(differing(guest, expected)).toEqual([])
      expect(guest.mapped).toBe(0)
    })
  }

  it('the stream that died before its first checkpoint is refused', { timeout: 60_000 }, async () => {
    const guest = new TestGuest({ kind: 'pv' })
    const name = 'pv128-2v-remus-died-before-first-checkpoint.fwd'
    await expect(restoreImage(await inner(name), guest.port, { mode: 'checkpointed' })).rejects.toMatchObject({
      code: expect.stringMatching(/^XC_(NO_CHECKPOINT|RECORD_CUT)$/) as string,
      offset: expect.any(Number) as number,
    })
    expect(guest).toMatchObject({ mapped: 0, closed: 1, destroyed: true })
  })

  it('a restorer that is not let go on asks the host for nothing', async () => {
    const guest = new TestGuest({ kind: 'pvh' })
    const restorer = await openImageRestorer(guest.port, { mode: 'plain' })
    restorer.close()
    expect(guest.calls).toEqual([])
  })
})
