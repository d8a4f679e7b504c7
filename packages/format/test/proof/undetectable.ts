/** Bits of a header field whose flip the strict verdict accepts, in the streams of bit-flips.test.ts. */
export interface Undetectable {
  readonly field: string
  /** Of the field's value, 0 the lowest. */
  readonly bits: string
  /** Codes of the findings that the flip brings all the same. */
  readonly says: string
  readonly why: string
}

const row = (field: string, bits: string, why: string, says = ''): Undetectable => ({ field, bits, says, why })

const anyFrame = 'any frame of an HVM guest may be sent; above bit 39 x86 has none, which is refused where memory is to be populated'
const holdsNothing = 'a frame without contents that is not populated either, so its number bears on nothing'
const ordinaryKinds = 'bits 60 to 62 make a page table of it; the restorer treats all kinds of an HVM guest alike'
const inGuest = 'another pfn below the end of this small guest (16 pfns); pages may come again, and a page that never comes is left zero'
const tableKinds = 'bits 60 and 61 make a table of another level, bit 63 changes whether it is pinned; the tables above do not say which they expect'
const pinning = 'whether a table is pinned; a guest may have tables that are not'
const emulatorId = '2 (QEMU) becomes 0 (unknown), which the specification allows'
const afterCheckpoint = 'in a checkpointed stream whose first checkpoint is complete: it then ends within a record, as such streams do when the sender goes'
const tsc = 'a clock of any kind and rate; nothing else in the stream says it again'
const zeroRest = 'what the shorter body leaves begins with zeros, which read as END; what follows is no longer part of the image, and xr says so of a file'
const written = 'says who wrote the image; nobody acts on it'

/** Every such bit, with the reason. The test that reads this fails when a bit is missing here, and when one need not be here. */
export const undetectable: readonly Undetectable[] = [
  row('xl-header mandatory flags', '0', 'the configuration is then said to be text, not JSON; text has no syntax that could be broken'),
  row('xl-header optional flags', '0-31', 'by definition readers may ignore them', 'XL_OPTIONAL_FLAGS'),
  row('libxl-header options', '1', 'says that the stream was converted from a legacy one; both kinds look alike'),
  row('domain-header xen major', '0-31', written),
  row('domain-header xen minor', '0-31', written),
  row('EMULATOR_CONTEXT emulator id', '1', emulatorId),
  row('EMULATOR_CONTEXT index', '0-31', 'unused in all versions; the specification sets no value', 'XL2_EMULATOR_INDEX'),
  row('EMULATOR_CONTEXT length', '0, 2', 'within the padding: the emulator’s state grows or shrinks by a few zero bytes, and only the emulator knows its length'),
  row('EMULATOR_CONTEXT length', '3-4, 6-31', afterCheckpoint, 'XC_CHECKPOINT_CUT'),
  row('EMULATOR_XENSTORE_DATA type', '0', 'becomes EMULATOR_CONTEXT, whose content only the emulator knows'),
  row('EMULATOR_XENSTORE_DATA emulator id', '1', emulatorId),
  row('EMULATOR_XENSTORE_DATA index', '0-31', 'unused in all versions; the specification sets no value', 'XL2_EMULATOR_INDEX'),
  row('PAGE_DATA type', '3', 'becomes HVM_CONTEXT; contexts are Xen’s business, and the last one counts', 'XC_HVM_CONTEXT_CONTENT'),
  row('HVM PAGE_DATA NOTAB entry', '0-39, 60-62', `${anyFrame}; ${ordinaryKinds}`),
  row('HVM PAGE_DATA XALLOC entry', '0-39, 60', `${anyFrame}; bit 60 leaves the frame out`),
  row('HVM PAGE_DATA BROKEN entry', '0-51, 61', `${holdsNothing}; bit 61 leaves the frame out`),
  row('HVM PAGE_DATA XTAB entry', '0-51, 60-61', `${holdsNothing}; bits 60 and 61 populate it or call it broken`),
  row('HVM_CONTEXT length', '3-4', zeroRest, 'XC_HVM_CONTEXT_CONTENT'),
  row('HVM_CONTEXT length', '8-26', afterCheckpoint, 'XC_CHECKPOINT_CUT'),
  row('HVM_PARAMS length', '7-26', afterCheckpoint, 'XC_CHECKPOINT_CUT'),
  row('X86_TSC_INFO type', '0', 'becomes HVM_CONTEXT; contexts are Xen’s business, and the last one counts', 'XC_HVM_CONTEXT_CONTENT'),
  row('X86_TSC_INFO mode', '0-31', tsc),
  row('X86_TSC_INFO khz', '0-31', tsc),
  row('X86_TSC_INFO nsec', '0-63', tsc),
  row('X86_TSC_INFO incarnation', '0-31', tsc),
  row('X86_PV_P2M_FRAMES first pfn', '0-3', 'the same frame holds both the right first pfn and this one'),
  row('X86_PV_P2M_FRAMES last pfn', '0-2, 4-9', 'the same frame holds both the right last pfn and this one, and all pages stay below it'),
  row('X86_PV_VCPU_EXTENDED length', '3, 5', zeroRest),
  row('X86_PV_VCPU_XSAVE length', '3-6, 8-9', zeroRest),
  row('X86_PV_VCPU_MSRS type', '2', 'one register makes 24 bytes, as X86_TSC_INFO has, which may come again'),
  row('SHARED_INFO type', '0', 'becomes X86_PV_VCPU_XSAVE of vCPU 0; a guest without SHARED_INFO starts with a blank one'),
  row('PV PAGE_DATA NOTAB entry', '0-3, 60-62', `${inGuest}; bits 60 to 62 make a page table of it, whose entries are all absent`),
  row('PV PAGE_DATA L1TAB entry', '0-2, 60-61, 63', `${inGuest}; ${tableKinds}`),
  row('PV PAGE_DATA L2TAB entry', '0-2, 60-61, 63', `${inGuest}; ${tableKinds}`),
  row('PV PAGE_DATA L3TAB entry', '1-2, 60-61, 63', `${inGuest}; ${tableKinds}`),
  row('PV PAGE_DATA L3TAB-pinned entry', '63', pinning),
  row('PV PAGE_DATA L4TAB-pinned entry', '63', pinning),
  row('PV PAGE_DATA XTAB entry', '0-1, 60-61', `${inGuest}; bits 60 and 61 populate it or call it broken`),
]

/** The list as a page for readers. */
export const asTable = (rows: readonly Undetectable[]): string => `# Damage that cannot be detected

A single flipped bit in a header, a record head, the fixed front of a body, or padding makes the strict verdict of \`xr verify\` "reject",
except for the bits listed here. The list is complete for the streams of \`packages/format/test/proof/bit-flips.test.ts\`, which flips every
such bit of ten small images of all kinds; the test fails when a bit is missing from the list, and when one is on it without need.

What guests hold in their pages, contexts and device state has no redundancy at all in these formats: damage there is found only by comparing
checksums that were made elsewhere (\`xr verify --data\` prints one).

Bit 0 is the lowest bit of the field's value. "Noticed as" names the finding that appears although the verdict stays "accept".

| Field | Bits | Noticed as | Why the strict verdict accepts it |
| --- | --- | --- | --- |
${rows.map(({ field, bits, says, why }) => `| ${field} | ${bits} | ${says} | ${why} |`).join('\n')}
`
