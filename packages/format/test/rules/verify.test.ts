import { describe, expect, it } from 'vitest'
import { ByteReader } from '../../src/bytes/byte-reader.ts'
import type { ByteSource } from '../../src/bytes/byte-source.ts'
import { verify } from '../../src/rules/verify.ts'
import {
  ascii, build, context, cut, domainHeader, emulator, flat, hvm, imageHeader, join, libxl, longs, p2m, page, pageData, piece, pv, pvInfo, record, remus, vcpuBasic, xenstore, xl, xlBlock, xlHeader, zeros,
  type Layout, type Part,
} from './image-builder.ts'
import { vector } from '../vectors.ts'
import { codesOf, judge, judgeLayout } from './judge.ts'

const checkpoint = record(0x0e)
const unknown = record(0x13)
const ends = [record(0x00), record(0x00)]

describe('a stream with several faults', () => {
  it('has them all reported, in the order of the stream', async () => {
    const verification = await judgeLayout({
      ...hvm,
      image: imageHeader({ options: 2 }),
      domain: domainHeader({ reserved: 1 }),
      pages: pageData([[1, 0x5, 1]], page(), 1),
      beforeEnd: [unknown, record(0x08)],
      end: [],
    })
    expect(codesOf(verification)).toEqual([
      'XC_OPTION_BITS', 'XC_DOMAIN_RESERVED', 'XC_PAGES_RESERVED', 'XC_PAGES_TYPE', 'XC_PAGES_SPARE_BITS', 'XC_UNKNOWN_MANDATORY', 'XC_TSC_LENGTH', 'XC_NO_END',
    ])
  })

  it('lists the first hundred of one rule and counts the rest', async () => {
    const { findings, suppressed } = await judgeLayout({ ...hvm, beforeEnd: Array.from({ length: 103 }, () => unknown) })
    expect({ listed: findings.length, suppressed }).toEqual({ listed: 100, suppressed: 3 })
  })
})

describe('the severity of a finding', () => {
  const severityOf = async (part: Part): Promise<string | undefined> => (await judgeLayout({ ...hvm, beforeEnd: part })).findings[0]?.severity

  it('is error when the specification refuses', async () => expect(await severityOf(record(0x0d, zeros(8)))).toBe('error'))
  it('is note when nobody minds', async () => expect(await severityOf(record(0x0a, zeros(8)))).toBe('note'))
  it('is error when only the restorer refuses', async () => {
    expect((await judgeLayout({ ...xl, header: xlHeader({ mandatory: 1 }), stream: flat(hvm) })).findings[0]?.severity).toBe('error')
  })
  it('is warning when only Xen’s verifier minds', async () => {
    expect((await judgeLayout({ ...hvm, end: checkpoint })).findings[0]?.severity).toBe('warning')
  })
})

describe('a checkpoint that never became complete', () => {
  const bare = { ...hvm, end: [checkpoint, unknown] }

  it('is dropped by the restorer, with all faults in it', async () => {
    const { findings, verdict } = await judgeLayout(bare)
    expect(findings.map(({ code, xen }) => [code, xen])).toEqual([['XC_UNKNOWN_MANDATORY', 'accept'], ['XC_CHECKPOINT_CUT', 'accept']])
    expect(findings[0]?.message).toContain('(in a checkpoint that is dropped)')
    expect(verdict).toEqual({ strict: 'reject', xen: 'accept', verifier: 'reject' })
  })

  it('is refused once it is complete', async () => {
    expect((await judgeLayout({ ...bare, behind: checkpoint })).verdict.xen).toBe('reject')
  })

  it('does not undo the one before: its own records count no longer', async () => {
    const broken = { ...pv, end: [checkpoint, vcpuBasic({ cr3: 0n })] }
    expect(codesOf(await judgeLayout(broken))).toEqual(['XC_CHECKPOINT_CUT'])
    expect(codesOf(await judgeLayout({ ...broken, behind: checkpoint }))).toEqual(['XC_ENDS_AT_CHECKPOINT', 'XC_CR3'])
  })

  it('of a libxl stream counts once CHECKPOINT_END is there', async () => {
    const group = [context, checkpoint, emulator()]
    const second = await judgeLayout({ ...remus, behind: group })
    expect([second.checkpoints, codesOf(second)]).toEqual([1, ['XL2_CHECKPOINT_NESTED', 'XC_CHECKPOINT_CUT']])
    const third = await judgeLayout({ ...remus, behind: [...group, record(0x04)] })
    expect([third.checkpoints, codesOf(third)]).toEqual([2, ['XL2_CHECKPOINT_NESTED', 'XC_ENDS_AT_CHECKPOINT']])
  })

  it('is the only one there would be: nothing can be started', async () => {
    const verification = await judgeLayout({ ...remus, checkpointEnd: [] })
    expect([verification.checkpoints, codesOf(verification)]).toEqual([0, ['XL2_CHECKPOINT_NESTED', 'XC_NO_CHECKPOINT']])
    expect(verification.verdict).toEqual({ strict: 'reject', xen: 'reject', verifier: 'reject' })
  })

  it('has ended in a libxl END: libxl reads no further, and takes what came', async () => {
    expect(codesOf(await judgeLayout({ ...remus, checkpointEnd: ends }))).toContain('XL2_NOT_IN_CHECKPOINT')
  })
})

describe('what comes behind a checkpoint', () => {
  it('ends the restore in content when it is too long to be a record', async () => {
    const { findings, verdict } = await judgeLayout({ ...hvm, end: [checkpoint, record(0x09, zeros(8), { length: 0x0800_0008 })] })
    expect(findings.map(({ code, xen }) => [code, xen])).toEqual([['XC_LENGTH_MAX', 'accept'], ['XC_CHECKPOINT_CUT', 'accept']])
    expect(verdict.xen).toBe('accept')
  })

  it('is CHECKPOINT_STATE in a COLO stream', async () => {
    const verification = await judgeLayout({ ...remus, behind: [record(0x05, zeros(4)), context] })
    expect([verification.streamType, codesOf(verification)]).toEqual(['colo', ['XL2_CHECKPOINT_NESTED', 'XC_CHECKPOINT_CUT']])
  })

  it('is no CHECKPOINT_STATE in a Remus stream; the restorer takes it for a record of the next checkpoint', async () => {
    const { findings } = await judgeLayout({ ...remus, behind: [record(0x05, zeros(4))] }, { streamType: 'remus' })
    expect(findings.map(({ code, xen }) => [code, xen])).toContainEqual(['XL2_STATE_ALONE', 'accept'])
  })
})

/** A source that seeks over `gap` bytes which are not there. */
const sparse = (front: Uint8Array, gap: number, tail: Uint8Array): ByteSource => {
  let at = 0
  const total = front.length + gap + tail.length
  return {
    read: (max) => {
      const piece = at < front.length ? front.subarray(at, at + max) : tail.subarray(at - front.length - gap, at - front.length - gap + max)
      at += piece.length
      return piece.length === 0 ? undefined : piece
    },
    skip: (count) => {
      const before = at
      at = Math.min(total, at + count)
      return at - before
    },
  }
}

describe('a record longer than the format allows', () => {
  it('is reported and passed over', async () => {
    const gap = 24 * 5_592_406
    const front = join(hvm.image.bytes, hvm.domain.bytes, record(0x11, zeros(0), { length: gap }).bytes)
    const tail = join(...[hvm.staticEnd, hvm.pages, context, hvm.end].map(({ bytes }) => bytes))
    const verification = await verify(new ByteReader(sparse(front, gap, tail)))
    expect(verification.findings.map(({ code, offset, record: index }) => [code, offset, index])).toEqual([['XC_LENGTH_MAX', 40, 0]])
    expect(verification.verdict).toEqual({ strict: 'reject', xen: 'reject', verifier: 'accept' })
  })
})

describe('an optional block of an xl file', () => {
  it('that is too long to be held is reported and passed over', async () => {
    const length = 0x0800_0001
    const verification = await verify(new ByteReader(sparse(xlHeader({ length }).bytes, length, build({ stream: flat(libxl) }).bytes)))
    expect([codesOf(verification), verification.guest]).toEqual([['XL_BLOCK_LONG'], 'hvm'])
  })
  it('may hold a configuration as text, which is not judged', async () => {
    expect(codesOf(await judgeLayout({ ...xl, header: xlHeader({ mandatory: 2 }) }))).toEqual([])
  })
  it('may say that it has no configuration', async () => {
    const verification = await judgeLayout({ ...xl, header: xlHeader({ length: 4 }), block: xlBlock(zeros(0)) })
    expect(verification.findings).toEqual([expect.objectContaining({ code: 'XL_NO_CONFIG', offset: 48 })])
  })
})

describe('libxl records cut by the end of the stream', () => {
  it.each([[0x02, 20], [0x02, 4], [0x03, 4], [0x05, 2]])('of type %i, %i bytes into the body, are only that', async (type, there) => {
    const verification = await judgeLayout({ ...libxl, emulator: [], beforeEnd: cut(record(type, zeros(64).fill(0x61)), 8 + there), end: [] }, { streamType: 'plain' })
    expect(codesOf(verification).filter((code) => !['XL2_EMULATOR_ID', 'XL2_EMULATOR_INDEX', 'XL2_XENSTORE_PY3', 'XL2_STATE_ALONE'].includes(code))).toEqual(['XL2_RECORD_CUT'])
  })
  it('end a list of names without a value', async () => {
    expect(codesOf(await judgeLayout({ ...libxl, behindImage: xenstore('a\0') }))).toEqual(['XL2_XENSTORE_PY3', 'XL2_XENSTORE_NOT_TERMINATED'])
  })
})

describe('how deep to look', () => {
  const layout = { ...hvm, pages: pageData([[1, 0]], page()), beforeEnd: [record(0x0a, zeros(4)), record(0x13)] }
  const emulated = { ...libxl, emulator: emulator(3) }

  it('headers: heads, lengths and order, not what bodies hold', async () => {
    expect(codesOf(await judgeLayout(layout, { depth: 'headers' }))).toEqual(['XC_UNKNOWN_MANDATORY'])
    expect(codesOf(await judgeLayout(emulated, { depth: 'headers' }))).toEqual([])
    expect(codesOf(await judgeLayout({ ...libxl, beforeEnd: record(0x05, zeros(4).fill(1)) }, { depth: 'headers' }))).toEqual(['XL2_STATE_ALONE'])
  })

  it('rules: bodies too', async () => {
    const verification = await judgeLayout(layout)
    expect([codesOf(verification), verification.pages]).toEqual([['XC_PARAMS_SHORT', 'XC_UNKNOWN_MANDATORY'], undefined])
    expect(codesOf(await judgeLayout(emulated))).toEqual(['XL2_EMULATOR_ID'])
  })

  it('data: pages are read and counted', async () => {
    const pages = pageData([[1, 0], [2, 0xf], [3, 0]], join(page(), page(7)))
    const { pages: totals } = await judgeLayout({ ...hvm, pages }, { depth: 'data', digest: (bytes) => bytes[0] as number })
    expect(totals).toMatchObject({ read: 2, zero: 1 })
  })

  it('data: the digest follows contents and places, not the cut into records', async () => {
    const digestOf = async (...pages: readonly ReturnType<typeof pageData>[]): Promise<number | undefined> =>
      (await judgeLayout({ ...hvm, pages }, { depth: 'data', digest: (bytes) => bytes[0] as number })).pages?.digest
    const together = await digestOf(pageData([[1, 0], [2, 0]], join(page(1), page(2))))
    expect(await digestOf(pageData([[1, 0]], page(1)), pageData([[2, 0]], page(2)))).toBe(together)
    expect(await digestOf(pageData([[2, 0], [1, 0]], join(page(1), page(2))))).not.toBe(together)
    expect(await digestOf(pageData([[1, 0], [2, 0]], join(page(1), page(3))))).not.toBe(together)
  })

  it('data: a verify pass with the same pages has nothing to say, and without a digest nothing is compared', async () => {
    const pass = (fill: number): ReturnType<typeof pageData> => pageData([[17, 0]], page(fill))
    const layoutOf = (fill: number): Layout => ({ ...hvm, pages: pass(1), beforeEnd: [record(0x0d), pass(fill)] })
    expect(codesOf(await judgeLayout(layoutOf(1), { depth: 'data', digest: (bytes) => bytes[0] as number }))).toEqual([])
    expect(codesOf(await judgeLayout(layoutOf(2), { depth: 'data' }))).toEqual([])
  })

  it('data: pages before the verify pass may change as often as the guest writes', async () => {
    const verification = await judgeLayout(
      { ...hvm, pages: [pageData([[17, 0]], page(1)), pageData([[17, 0]], page(2))] },
      { depth: 'data', digest: (bytes) => bytes[0] as number },
    )
    expect(codesOf(verification)).toEqual([])
  })

  it('data: page tables of PV guests are looked into as well', async () => {
    const pages = pageData([[0, 0x0], [1, 0x4]], join(page(), longs((2n << 12n) | 1n), zeros(4088)))
    expect(codesOf(await judgeLayout({ ...pv, pages }, { depth: 'data' }))).toEqual(['XC_PTE_RANGE'])
  })
})

describe('what the caller knows', () => {
  it('the kind of domain goes before what the image says', async () => {
    expect((await judgeLayout(hvm, { domain: 'hvm' })).verdict.xen).toBe('accept')
    expect((await judgeLayout(hvm, { domain: 'pv' })).verdict.xen).toBe('reject')
  })

  it('the kind of domain tells whether an emulator can be, where no image does', async () => {
    const layout = { ...libxl, libxcContext: [], image: [] }
    expect(codesOf(await judgeLayout(layout, { domain: 'pv' }))).toEqual(['XL2_EMULATOR_IN_PV', 'XL2_NO_LIBXC'])
    expect(codesOf(await judgeLayout(layout))).toEqual(['XL2_NO_LIBXC'])
  })

  it('the type of stream: a plain one has no checkpoints, a checkpointed one may do without', async () => {
    expect((await judgeLayout(hvm, { streamType: 'remus' })).verdict).toEqual({ strict: 'accept', xen: 'accept', verifier: 'accept' })
    expect((await judgeLayout({ ...hvm, end: [checkpoint, hvm.end] }, { streamType: 'plain' })).verdict.xen).toBe('reject')
    expect((await judgeLayout({ ...hvm, end: [checkpoint, hvm.end] }, { streamType: 'colo' })).streamType).toBe('colo')
  })

  it('the format: bytes are read as such whatever they look like', async () => {
    const verification = await judgeLayout(hvm, { format: 'libxl' })
    expect([verification.format, codesOf(verification)]).toEqual(['libxl', ['XL2_IDENT', 'XL2_VERSION', 'XL2_BIG_ENDIAN']])
  })

  it('the legacy format has rules of its own', async () => {
    const { verdict, ...verification } = await judge(vector('legacy/legacy_hvm64'))
    expect([verification.format, codesOf({ ...verification, verdict })]).toEqual(['legacy', ['XL_LEGACY_PAYLOAD']])
    expect(verdict).toEqual({ strict: 'accept', xen: 'accept', verifier: 'reject' })
    expect(codesOf(await judge(vector('legacy/legacy_bad_trunc')))).toEqual(['XL_LEGACY_PAYLOAD', 'LG_TRUNCATED'])
    expect((await judge(zeros(3), { format: 'legacy' })).guest).toBe('unknown')
    expect((await judge(vector('legacy/legacy_hvm64'), { domain: 'pv' })).verdict.strict).toBe('reject')
    const bytes = ascii('{"c_info":{"type":"pvh"}}\0')
    const wrapped = { header: xlHeader({ mandatory: 1, length: 4 + bytes.length }), block: xlBlock(bytes), stream: piece(vector('legacy/legacy_hvm64')) }
    expect((await judgeLayout(wrapped)).verdict.strict).toBe('reject')
  })

  it('the configuration of an xl file tells the kind of guest and its vCPUs', async () => {
    const withConfig = (text: string, image: Layout): Layout => {
      const bytes = ascii(`${text}\0`)
      return { header: xlHeader({ length: 4 + bytes.length }), block: xlBlock(bytes), stream: flat({ ...libxl, image: flat(image), emulator: [] }) }
    }
    expect(codesOf(await judgeLayout(withConfig('{"c_info":{"type":"pvh"}}', hvm)))).toEqual([])
    expect(codesOf(await judgeLayout(withConfig('{"c_info":{"type":"pv"}}', hvm)))).toEqual(['XC_DOMAIN_MISMATCH'])
    const second = { ...pv, beforeEnd: [vcpuBasic({ id: 1 })] }
    expect(codesOf(await judgeLayout(withConfig('{"b_info":{"max_vcpus":1}}', second)))).toEqual(['XC_VCPU_ID'])
    expect(codesOf(await judgeLayout(withConfig('{"b_info":{"max_vcpus":2}}', second)))).toEqual([])
  })
})

describe('progress', () => {
  it('is told after each item', async () => {
    const seen: number[] = []
    const { bytes } = build(hvm)
    await judge(bytes, { onProgress: (offset) => seen.push(offset) })
    expect(seen.at(-1)).toBe(bytes.length)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
  })
})

describe('PV guests', () => {
  it('a second X86_PV_INFO does not change what vCPUs are read as', async () => {
    const vcpu = record(0x04, join(zeros(8), zeros(2800)))
    const { findings } = await judgeLayout({ ...pv, info: pvInfo(4, 3), vcpu: [vcpu, pvInfo(8, 4)] })
    expect(findings.map(({ code }) => code)).toContain('XC_PV_INFO_TWICE')
  })
  it('a second list of frames adds to the first', async () => {
    expect(codesOf(await judgeLayout({ ...pv, beforeEnd: p2m(512, 513, 0n) }))).toEqual([])
  })
  it('a list of frames that leaves a part of the guest out is noticed at the end', async () => {
    const { findings } = await judgeLayout({ ...pv, p2m: p2m(512, 513, 0n) })
    expect(findings.map(({ message }) => message)).toEqual([expect.stringContaining('1 frames of the list never came')])
  })
})
