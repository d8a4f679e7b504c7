import type { FormatErrorCode } from '../format-error.ts'
import type { Verdict } from '../rules/verdict.ts'

/** A condition on legacy streams: what is wrong when it fails, and who minds. */
export interface LegacyRule {
  /** The fault in one sentence. */
  readonly says: string
  readonly hint: string
  /** What the written format says. */
  readonly strict: Verdict
  /** What Xen does: its converter, and its restorer with what the converter wrote. Its verifier rejects every legacy stream. */
  readonly xen: Verdict
  /** Whether `convertLegacy` stops here; it goes on where it knows better than Xen's converter, or where nothing is lost. */
  readonly convert: 'stops' | 'goes on'
  /** Code of the error thrown. */
  readonly fails: FormatErrorCode
}

type Who = Pick<LegacyRule, 'strict' | 'xen' | 'convert' | 'fails'>
const both: Who = { strict: 'reject', xen: 'reject', convert: 'stops', fails: 'FMT_LEGACY_CHUNK' }
const strictOnly: Who = { strict: 'reject', xen: 'accept', convert: 'goes on', fails: 'FMT_LEGACY_CHUNK' }
const xenOnly: Who = { strict: 'accept', xen: 'reject', convert: 'goes on', fails: 'FMT_LEGACY_UNSUPPORTED' }
const unsupported: Who = { ...xenOnly, convert: 'stops' }

const damaged = 'the stream is damaged or was written by something else than Xen; take the image from its source again'
const sender = 'look at the toolstack that saved; the image can still be used'
const wrongKind = 'check --guest and --width against the machine that saved; if they are right, the stream is damaged'
const convertIt = 'convert it with `xr convert`, which can read this'
const saveAgain = 'save the guest again with a Xen that does without this'

const rule = (who: Who, says: string, hint: string): LegacyRule => ({ ...who, says, hint })

/** Every condition on a legacy stream. Source: legacy stream notes 8.2 to 8.8 and convert-legacy-stream of Xen 4.17. */
export const LEGACY_RULES = {
  // The stream as a whole
  LG_TRUNCATED: rule({ ...both, fails: 'FMT_TRUNCATED' }, 'the stream ends early', 'the sender stopped early or the copy is incomplete; compare sizes'),
  LG_GUEST_UNKNOWN: rule({ ...both, fails: 'FMT_LEGACY_GUEST_UNKNOWN' }, 'the bytes tell neither a PV nor an HVM guest', 'say --guest pv or --guest hvm; the domain’s configuration knows'),
  LG_TOO_LONG: rule({ ...strictOnly, convert: 'stops', fails: 'FMT_BODY_TOO_LARGE' }, 'a blob is longer than is held in memory', damaged),
  LG_P2M_SIZE: rule(both, 'the size of a PV guest is zero or above 2^32 pages', wrongKind),
  LG_P2M_RANGE: rule(strictOnly, 'the guest has no page, or more than the 2^28 that entries can name', wrongKind),
  // Extended information of PV guests
  LG_EXT_MARKER: rule(both, 'the marker of the extended information is missing', wrongKind),
  LG_EXT_LENGTH: rule(both, 'a block of the extended information reaches over its end', damaged),
  LG_EXT_UNKNOWN: rule(xenOnly, 'an unknown block of the extended information', convertIt),
  LG_EXT_VCPU_SIZE: rule(both, 'the vcpu block is neither that of a 64-bit nor of a 32-bit guest', wrongKind),
  LG_EXT_VCPU_MISSING: rule(both, 'the vcpu block is missing', damaged),
  LG_EXT_VCPU_TWICE: rule(both, 'a second vcpu block', damaged),
  LG_EXT_EXTV_SIZE: rule(strictOnly, 'the extv block is not empty', sender),
  LG_EXT_XCNT_SHORT: rule(both, 'the xcnt block is shorter than 4 bytes', damaged),
  LG_EXT_XCNT_LONG: rule(strictOnly, 'the xcnt block is longer than 4 bytes', sender),
  // Pages
  LG_BATCH_SIZE: rule(both, 'a batch of more than 1024 pages', wrongKind),
  LG_BATCH_DUPLICATE: rule(both, 'the same entry twice in one batch', damaged),
  LG_BATCH_PFN_TWICE: rule(strictOnly, 'the same pfn twice in one batch, with different types', sender),
  LG_BATCH_FILLER: rule(xenOnly, 'a batch of filler only, of which the converter makes an empty record that the restorer refuses', convertIt),
  LG_PAGE_TYPE: rule(both, 'a page type that does not exist', damaged),
  LG_PFN_RANGE: rule(both, 'a pfn beyond the end of the PV guest', damaged),
  LG_ENTRY_HIGH_BITS: rule(strictOnly, 'bits above 31 are set in an entry', damaged),
  // Chunks
  LG_CHUNK_UNKNOWN: rule(both, 'an unknown chunk type', wrongKind),
  LG_TMEM: rule(unsupported, 'a tmem chunk; tmem left Xen in 4.13', saveAgain),
  LG_VCPU_MAX: rule(both, 'the highest vCPU number is above 4095', wrongKind),
  LG_VCPU_NEGATIVE: rule(strictOnly, 'the highest vCPU number is negative', damaged),
  LG_VCPU_BITS: rule(strictOnly, 'a vCPU above the highest number is marked online', damaged),
  LG_VCPU_TWICE: rule(strictOnly, 'a second list of online vCPUs', damaged),
  LG_VCPU0_MISSING: rule(both, 'the PV guest has no vCPU 0', damaged),
  LG_PARAM_IN_PV: rule(both, 'an HVM parameter in a PV stream', wrongKind),
  LG_PARAM_PAD: rule(strictOnly, 'the padding of an HVM parameter is not zero', sender),
  // Compression
  LG_COMPRESSION: rule(xenOnly, 'the stream is compressed, which Xen’s converter cannot read', convertIt),
  LG_COMPRESSION_OFF: rule(both, 'compressed pages, but compression was never turned on', damaged),
  LG_COMPRESSED_PAGE: rule(both, 'a compressed page does not decode', damaged),
  LG_COMPRESSED_COUNT: rule(both, 'compressed pages and announced pages are not the same number', damaged),
  LG_COMPRESSED_BASE: rule({ ...unsupported }, 'a compressed page builds on a content that is no longer held', 'give the conversion more memory, or a store that holds all of the guest’s pages'),
  LG_COMPRESSED_PENDING: rule({ ...unsupported }, 'more pages are announced than are held in memory before their contents come', damaged),
  // Toolstack blob
  LG_TOOLSTACK_SHORT: rule(both, 'the toolstack blob ends within an entry', wrongKind),
  LG_TOOLSTACK_VERSION: rule(both, 'the toolstack blob is not of version 1', damaged),
  LG_TOOLSTACK_NAME: rule(both, 'a name in the toolstack blob is empty or not ended by one NUL', wrongKind),
  LG_TOOLSTACK_UTF8: rule(xenOnly, 'a name in the toolstack blob is not UTF-8, on which Xen’s converter fails', convertIt),
  LG_TOOLSTACK_REST: rule(strictOnly, 'bytes are left over in the toolstack blob', sender),
  LG_TOOLSTACK_IN_PV: rule(xenOnly, 'device-model keys in a PV stream, which the restorer takes for HVM guests only', convertIt),
  // Tail
  LG_XSAVE_SIZE: rule(both, 'the length of an xsave area differs from the one announced', damaged),
  LG_XSAVE_SHORT: rule(both, 'an xsave area of less than 16 bytes', damaged),
  LG_CONTEXT_EMPTY: rule(both, 'the HVM context is empty', damaged),
  LG_QEMU_SIGNATURE: rule({ ...both, fails: 'FMT_LEGACY_UNSUPPORTED' }, 'an unknown device-model record', damaged),
  LG_QEMU_KIND: rule(xenOnly, 'a device-model record that Xen’s converter does not know', convertIt),
  LG_QEMU_MAGIC: rule(strictOnly, 'the QEMU state does not begin with QEVM', damaged),
} as const satisfies Readonly<Record<string, LegacyRule>>

export type LegacyRuleCode = keyof typeof LEGACY_RULES

/** Who refuses a stream with this fault. `converter` stands for Xen: the converter, or the restorer behind it. */
export type RefusedBy = 'both' | 'converter' | 'strict'

export function refusedBy(code: LegacyRuleCode): RefusedBy {
  const { strict, xen } = LEGACY_RULES[code]
  if (strict === 'accept') return 'converter'
  return xen === 'accept' ? 'strict' : 'both'
}
