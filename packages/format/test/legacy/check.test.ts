import { describe, expect, it } from 'vitest'
import { checkLegacy } from '../../src/legacy/check.ts'
import type { LegacyOptions } from '../../src/legacy/cursor.ts'
import { LEGACY_RULES, refusedBy, type LegacyRuleCode } from '../../src/legacy/rules.ts'
import { block, context32, context64, hvm, page, pv, ulong, vcpu0, word } from './build.ts'
import { bytesOf, converted, readerOf, reencoded, type Part } from './streams.ts'

const PV = { guest: 'pv', width: 64 } as const
const HVM = { guest: 'hvm', width: 64 } as const
const info = block('vcpu', context64)
const xcnt = (value: number): Part => bytesOf(...block('xcnt', bytesOf(word(value))))
const batch = (...entries: (number | bigint)[]): readonly Part[] => [word(entries.length), ulong(64, ...entries)]
const toolstack = (data: Uint8Array): readonly Part[] => [word(-18, data.length), data]
const region = (name: string): Uint8Array => bytesOf(word(1, 1), ['q', 1, 2, 3], word(name.length), name, 'junk')
const XTAB = 0xf000_0000
const compressed = (data: Uint8Array): readonly Part[] => [word(-12, data.length), data]

/** A stream, what is found in it, and how the walk has to be told. */
const cases: readonly (readonly [what: string, bytes: Uint8Array, codes: readonly LegacyRuleCode[], options: LegacyOptions])[] = [
  ['an HVM guest without chunks', hvm([]), [], HVM],
  ['a PV guest without chunks', pv([...vcpu0]), [], PV],
  ['a 32-bit PV guest with all blocks', pv(vcpu0, { blocks: [...block('vcpu', context32), ...block('extv', new Uint8Array(0)), xcnt(32)], vcpus: [context32, new Uint8Array(128), ['q', 7, 16], new Uint8Array(16)] }), [], PV],
  ['every HVM parameter', hvm([-3, -4, -8, -10, -11, -14, -15, -16, -17, -19, -20].flatMap((type) => [word(type, 0), ['q', 1] as Part])), [], HVM],
  ['a verify pass and the last checkpoint', hvm([word(-1), ...batch(3), page(3), word(-9)]), [], HVM],
  ['no chunk', bytesOf(['q', 256], word(9999, 0)), ['LG_GUEST_UNKNOWN'], {}],
  ['a cut in the first word', new Uint8Array(3), ['LG_TRUNCATED'], {}],
  ['a context longer than allowed', hvm([]), ['LG_TOO_LONG'], { ...HVM, blobMax: 2 }],
  ['QEMU data longer than allowed', hvm([], { context: 'c', qemu: ['QemuDeviceModelRecord', 'QEVM'] }), ['LG_TOO_LONG'], { ...HVM, blobMax: 3 }],
  ['a PV guest without pages', pv([...vcpu0], { p2mSize: 0 }), ['LG_P2M_RANGE', 'LG_P2M_SIZE'], PV],
  ['a PV guest of 2^32 pages and one', pv([...vcpu0], { p2mSize: 2 ** 32 + 1 }), ['LG_P2M_RANGE', 'LG_P2M_SIZE'], PV],
  ['an HVM guest without pages', hvm([], { p2mSize: 0 }), ['LG_P2M_RANGE'], HVM],
  ['no marker', pv([], { marker: 5n }), ['LG_EXT_MARKER'], PV],
  ['a block beyond the end', pv([], { length: info.length + 5000 }), ['LG_EXT_LENGTH'], PV],
  ['half a block head', pv([...vcpu0], { length: 5168 + 8 + 4 }), ['LG_EXT_LENGTH'], PV],
  ['an unknown block', pv(vcpu0, { blocks: [...info, ...block('new!', page(1))] }), ['LG_EXT_UNKNOWN'], PV],
  ['a vcpu block of another size', pv([], { blocks: block('vcpu', page(0)) }), ['LG_EXT_VCPU_SIZE'], PV],
  ['no vcpu block', pv([], { blocks: [] }), ['LG_EXT_VCPU_MISSING'], PV],
  ['two vcpu blocks', pv(vcpu0, { blocks: [...info, ...info] }), ['LG_EXT_VCPU_TWICE'], PV],
  ['data in extv', pv(vcpu0, { blocks: [...info, ...block('extv', page(0))], vcpus: [context64, new Uint8Array(128)] }), ['LG_EXT_EXTV_SIZE'], PV],
  ['a short xcnt', pv([], { blocks: [...info, ...block('xcnt', new Uint8Array(3))] }), ['LG_EXT_XCNT_SHORT'], PV],
  ['a long xcnt', pv(vcpu0, { blocks: [...info, ...block('xcnt', new Uint8Array(5))] }), ['LG_EXT_XCNT_LONG'], PV],
  ['a batch of 1025', hvm(batch(...new Array<number>(1025).fill(XTAB))), ['LG_BATCH_SIZE'], HVM],
  ['an entry twice', hvm([...batch(3, 3), page(1), page(2)]), ['LG_BATCH_DUPLICATE'], HVM],
  ['a pfn twice', hvm([...batch(3, 0xe000_0003), page(1)]), ['LG_BATCH_PFN_TWICE'], HVM],
  ['nothing but filler', hvm(batch(XTAB, XTAB)), ['LG_BATCH_FILLER'], HVM],
  ['page type 5', hvm([...batch(0x5000_0003), page(1)]), ['LG_PAGE_TYPE'], HVM],
  ['a pfn beyond a PV guest', pv([...vcpu0, ...batch(9), page(1)]), ['LG_PFN_RANGE'], PV],
  ['bits above 31', hvm([...batch(0x1_0000_0003), page(1)]), ['LG_ENTRY_HIGH_BITS'], HVM],
  ['filler with bits above 31', hvm(batch(0x1_f000_0000)), ['LG_ENTRY_HIGH_BITS'], HVM],
  ['an unknown chunk', hvm([word(-21)]), ['LG_CHUNK_UNKNOWN'], HVM],
  ['tmem', hvm([word(-5)]), ['LG_TMEM'], HVM],
  ['more tmem', hvm([word(-6)]), ['LG_TMEM'], HVM],
  ['vCPU 4096', hvm([word(-2, 4096)]), ['LG_VCPU_MAX'], HVM],
  ['a negative vCPU', hvm([word(-2, -65)]), ['LG_VCPU_NEGATIVE'], HVM],
  ['a vCPU above the highest', hvm([word(-2, 3), ['q', 17]]), ['LG_VCPU_BITS'], HVM],
  ['two lists of vCPUs', pv([...vcpu0, ...vcpu0], { vcpus: [context64, context64] }), ['LG_VCPU_TWICE'], PV],
  ['no vCPU 0', pv([word(-2, 1), ['q', 2]]), ['LG_VCPU0_MISSING'], PV],
  ['an HVM parameter in PV', pv([...vcpu0, word(-3, 0), ['q', 1]]), ['LG_PARAM_IN_PV'], PV],
  ['padding in a parameter', hvm([word(-3, 1), ['q', 1]]), ['LG_PARAM_PAD'], HVM],
  ['compression', hvm([word(-13), ...batch(XTAB + 1, 3, 0xe000_0004), ...compressed(bytesOf('\x80', page(1)))]), ['LG_COMPRESSION'], HVM],
  ['compression of a batch without contents', hvm([word(-13), ...batch(0xe000_0004)]), ['LG_COMPRESSION'], HVM],
  ['compressed data, unannounced', hvm(compressed(page(0))), ['LG_COMPRESSION_OFF'], HVM],
  ['a bad compressed page, and a duplicate later', hvm([word(-13), ...batch(3), ...compressed(bytesOf('\xff\0')), ...batch(4, 4)]), ['LG_COMPRESSION', 'LG_COMPRESSED_PAGE', 'LG_BATCH_DUPLICATE'], HVM],
  ['a compressed page missing', hvm([word(-13), ...batch(3)]), ['LG_COMPRESSION', 'LG_COMPRESSED_COUNT'], HVM],
  ['a compressed page too many', hvm([word(-13), ...batch(3), ...compressed(bytesOf('\x80', page(1), '\0'))]), ['LG_COMPRESSION', 'LG_COMPRESSED_COUNT'], HVM],
  ['half a compressed page too many', hvm([word(-13), ...batch(3), ...compressed(bytesOf('\xff'))]), ['LG_COMPRESSION', 'LG_COMPRESSED_COUNT'], HVM],
  ['a cut in compressed data', hvm([word(-13), ...batch(3), word(-12, 5000), '\x80', page(1)]).subarray(0, 100), ['LG_COMPRESSION', 'LG_TRUNCATED', 'LG_TRUNCATED'], HVM],
  ['a short toolstack blob', hvm(toolstack(new Uint8Array(1))), ['LG_TOOLSTACK_SHORT'], HVM],
  ['an empty toolstack blob', hvm(toolstack(new Uint8Array(0))), [], HVM],
  ['toolstack version 0', hvm(toolstack(new Uint8Array(8))), ['LG_TOOLSTACK_VERSION'], HVM],
  ['a name without NUL', hvm(toolstack(region('a'))), ['LG_TOOLSTACK_NAME'], HVM],
  ['a name that is not UTF-8', hvm(toolstack(region('\xff\0'))), ['LG_TOOLSTACK_UTF8'], HVM],
  ['rest of a toolstack blob', hvm(toolstack(bytesOf(region('a\0'), 'x'))), ['LG_TOOLSTACK_REST'], HVM],
  ['device-model keys in PV', pv([...vcpu0, ...toolstack(region('a\0'))]), ['LG_TOOLSTACK_IN_PV'], PV],
  ['an xsave area of another length', pv(vcpu0, { blocks: [...info, xcnt(48)], vcpus: [context64, ['q', 7, 16], new Uint8Array(16)] }), ['LG_XSAVE_SIZE'], PV],
  ['a short xsave area', pv(vcpu0, { blocks: [...info, xcnt(20)], vcpus: [context64, ['q', 7, 4], new Uint8Array(4)] }), ['LG_XSAVE_SHORT'], PV],
  ['an empty HVM context', hvm([], { context: '' }), ['LG_CONTEXT_EMPTY'], HVM],
  ['an unknown QEMU record', hvm([], { qemu: ['DeviceModelRecord0003'] }), ['LG_QEMU_SIGNATURE'], HVM],
  ['a Remus QEMU record', hvm([], { qemu: ['RemusDeviceModelState', word(1), 'x'] }), ['LG_QEMU_KIND'], HVM],
  ['a QEMU record to the end', hvm([], { qemu: ['QemuDeviceModelRecord', 'QEVM...'] }), ['LG_QEMU_KIND'], HVM],
  ['a QEMU record to the end, of something else', hvm([], { qemu: ['QemuDeviceModelRecord', 'NOPE'] }), ['LG_QEMU_KIND', 'LG_QEMU_MAGIC'], HVM],
]

describe.each(cases)('a legacy stream with %s', (_, bytes, codes, options) => {
  it('has these findings, and no more', async () => {
    const check = await checkLegacy(readerOf(bytes), options)
    expect(check.findings.map(({ code }) => code)).toEqual(codes)
    expect(check.strict).toBe(codes.some((code) => refusedBy(code) !== 'converter') ? 'reject' : 'accept')
    expect(check.xen).toBe(codes.some((code) => refusedBy(code) !== 'strict') ? 'reject' : 'accept')
    for (const { hint, message, offset, code } of check.findings) {
      expect(message).toContain(LEGACY_RULES[code].says)
      expect(hint).not.toBe('')
      expect(offset).toBeLessThanOrEqual(bytes.length)
    }
  })
  it('converts when nothing is in the way', async () => {
    const stops = codes.filter((code) => LEGACY_RULES[code].convert === 'stops')
    const error: unknown = await converted(bytes, { to: 'libxl-v2', ...options }).then(() => undefined, (reason: unknown) => reason)
    if (stops.length === 0) expect(error).toBeUndefined()
    else expect(stops.map((code) => LEGACY_RULES[code].fails)).toContain((error as { code?: unknown }).code)
  })
  it('encodes to the same bytes when it can be followed', async () => {
    if ((await checkLegacy(readerOf(bytes), options)).complete) expect(Buffer.compare(await reencoded(bytes, options), bytes)).toBe(0)
  })
})

it('findings of one kind are counted after the hundredth', async () => {
  const entries = Array.from({ length: 250 }, (_, i) => 0xe000_0000 + (i >> 1))
  expect(await checkLegacy(readerOf(hvm(batch(...entries))))).toMatchObject({ findings: { length: 100 }, suppressed: 25, guest: 'hvm', width: 64, complete: true })
})

it('an error of the source is no finding', async () => {
  const reader = readerOf(hvm([]))
  reader.take = () => Promise.reject(new Error('the disk failed'))
  await expect(checkLegacy(reader)).rejects.toThrow('the disk failed')
})

it('every rule can be broken by a stream but those on memory, which only a conversion meets', () => {
  const broken = new Set(cases.flatMap(([, , codes]) => codes))
  expect(Object.keys(LEGACY_RULES).filter((code) => !broken.has(code as LegacyRuleCode))).toEqual(['LG_COMPRESSED_BASE', 'LG_COMPRESSED_PENDING'])
})
