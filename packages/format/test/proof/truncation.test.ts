import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../src/bytes/byte-reader.ts'
import { sourceOfBytes } from '../../src/bytes/byte-source.ts'
import { walk } from '../../src/image/walk.ts'
import type { VerifyOptions } from '../../src/rules/finding.ts'
import type { Verdicts } from '../../src/rules/verdict.ts'
import { judge } from '../rules/judge.ts'
import { vector, vectors, type VectorInfo } from '../vectors.ts'

const refused: Verdicts = { strict: 'reject', xen: 'reject', verifier: 'reject' }
const accepted: Verdicts = { strict: 'accept', xen: 'accept', verifier: 'accept' }
/** Cut behind its first checkpoint, a stream starts the guest from there; only Xen’s verifier wants an END. */
const failedOver: Verdicts = { ...accepted, verifier: 'reject' }

/** Lengths at which the verdict, or the place where the bytes ran out, is another than it has to be. */
async function wrong(name: string, wanted: (length: number) => Verdicts, options: VerifyOptions = {}): Promise<readonly unknown[]> {
  const found: unknown[] = []
  const bytes = vector(name)
  const { format } = vectors.find((info) => info.name === name) as VectorInfo
  for (let length = 0; length < bytes.length; length++) {
    const { verdict, findings } = await judge(bytes.subarray(0, length), { format, ...options })
    const right = JSON.stringify(verdict) === JSON.stringify(wanted(length))
    if (!right || (verdict.verifier === 'reject' && !findings.some(({ offset }) => offset === length))) found.push({ length, verdict, findings })
  }
  return found
}

describe('cut at any of its bytes, a stream is refused by all three, and the place where it stops is named', () => {
  const plain = ['ok_xc_v3_hvm_tiny', 'ok_xl2_tiny', 'ok_xlfile_tiny', 'ok_xc_v3_hvm_types', 'ok_xc_v2_hvm', 'ok_xl2_hvm', 'ok_xc_v3_pv32', 'ok_xc_v3_pv64']
  for (const name of plain) {
    it(name, { timeout: 60_000 }, async () => {
      expect(await wrong(name, () => refused)).toEqual([])
    })
  }
})

describe('a checkpointed stream is refused up to its first complete checkpoint, and goes on from there wherever it is cut', () => {
  const streams = [
    { name: 'ok_xc_v3_remus_two', complete: 12664, options: {} },
    { name: 'ok_xc_v3_remus_two', complete: 12664, options: { streamType: 'remus' } },
    { name: 'ok_xl2_remus', complete: 12744, options: {} },
    { name: 'ok_xl2_remus', complete: 12744, options: { streamType: 'colo' } },
  ] as const
  for (const { name, complete, options } of streams) {
    it(`${name}, complete at byte ${complete}, told ${JSON.stringify(options)}`, { timeout: 60_000 }, async () => {
      expect(await wrong(name, (length) => (length < complete ? refused : failedOver), options)).toEqual([])
    })
  }
})

it('bytes behind END belong to somebody else', async () => {
  const end = vector('ok_xc_v3_hvm_trailing').length - 17
  expect(await wrong('ok_xc_v3_hvm_trailing', (length) => (length < end ? refused : accepted))).toEqual([])
})

describe('cut at or next to a record’s head, no stream that was right is right', () => {
  const plain = vectors.filter(({ wellformed, streamType }) => wellformed && streamType === 'plain')
  for (const { name, format } of plain) {
    it(name, async () => {
      const bytes = vector(name)
      const edges: number[] = []
      let end = 0
      for await (const item of walk(new ByteReader(sourceOfBytes(bytes)), { format })) {
        edges.push(item.offset - 1, item.offset, item.offset + 1)
        if (item.kind === 'record') edges.push(item.body.offset, item.body.offset + item.length)
        end = item.offset
      }
      const verdicts = await Promise.all(edges.filter((length) => length > 0 && length < end).map((length) => judge(bytes.subarray(0, length), { format })))
      expect(verdicts.filter(({ verdict }) => verdict.strict === 'accept' || verdict.xen === 'accept')).toEqual([])
    })
  }
})
