// What the package offers, by what one wants to do. `README.md` shows the main calls.

// Errors: every one is a FormatError with a code, mostly with a byte offset.
export { FormatError, formatCodes, type FormatErrorCode } from './format-error.ts'

// Bytes come from sources and are read in order.
export { sourceOfBytes, sourceOfChunks, type ByteSource } from './bytes/byte-source.ts'
export { ByteReader } from './bytes/byte-reader.ts'
export type { Soon } from './bytes/soon.ts'
export {
  HOLD_MAX,
  LEGACY_BATCH_MAX,
  LEGACY_VCPU_MAX,
  LIBXC_BODY_MAX,
  paddingOf,
  PAGE_BATCH_MAX,
  PAGE_SIZE,
  RECORD_ALIGNMENT,
} from './bytes/limits.ts'

// Layouts: fields, and structs of them, for codecs of one's own.
export { fromHex, list, raw, reserved, s32, toHex, u16, u16be, u32, u32be, u64, u64be, u8, type Field, type Json } from './bytes/field.ts'
export { bits } from './frame/bits.ts'
export { s64, s8 } from './frame/signed.ts'
export { asObject, readStruct, struct, viewOf, writeStruct, type Fields, type Struct, type StructOf, type ValuesOf } from './bytes/struct.ts'
export { bodySizeError, opaque, structCodec, type Codec } from './frame/codec.ts'
export { countedRows } from './frame/counted-rows.ts'
export { frontAndRest, type FrontAndRest, type WithRest } from './frame/front-and-rest.ts'
export { rowsCodec, type RowsOptions } from './frame/rows.ts'
export { recordCodec, structRecord, type RecordCodec } from './frame/record.ts'

// Going through an image: what kind it is, its items, what records hold, its pages.
export { FIRST_BYTES, libxlMagic, recognise, xlMagic, type ImageFormat } from './image/recognise.ts'
export { walk, type WalkOptions } from './image/walk.ts'
export type { HeaderItem, Item, Layer, LegacyItem, PaddingItem, RecordItem, StopItem } from './image/item.ts'
export { Body } from './image/body.ts'
export { eachPage } from './image/each-page.ts'
export { PageMap } from './image/page-map.ts'
export { hasContent, isReservedType, PAGE, pageTypeName, tableLevel, type PageData, type PageDataFault } from './libxc/page-data.ts'
export { recordDetail } from './image/record-detail.ts'

// An image in short.
export { createSummary, type EndSummary, type LibxlSummary, type Summariser, type Summary, type XlSummary } from './image/summary.ts'
export type { EmulatorSummary } from './image/summary-emulator.ts'
export type { HvmParamSummary, LibxcSummary, TscSummary } from './image/summary-libxc.ts'
export type { MemorySummary } from './image/summary-memory.ts'
export type { RecordsSummary } from './image/summary-records.ts'
export type { ContextSummary, HvmContextSummary, VcpuSummary } from './image/summary-vcpu.ts'

// Records: types and names, the codec of each by type or by name (`libxc.hvmContext`, `libxl.end`), and how they are written.
export { OPTIONAL_RECORD, XC, xcRecordName } from './libxc/record-types.ts'
export { XL2, xl2RecordName } from './libxl/record-types.ts'
export { headerCodec, libxcCodec, libxlCodec } from './frame/catalogue.ts'
export * as libxc from './libxc/records.ts'
export * as libxl from './libxl/records.ts'
export { bodyFromDescription, describeBody, type BodyDescription } from './frame/describe.ts'
export { encodeRecord, recordHead } from './frame/encode.ts'
export { pageDataHead, type PageEntry } from './libxc/page-data-head.ts'

// Headers: layouts, codecs, and what good ones hold.
export { IMAGE, imageHeader, imageHeaderCodec, type ImageHeader } from './libxc/image-header.ts'
export { DOMAIN, domainHeader, domainHeaderCodec, guestKind, isConverted, type DomainHeader, type GuestKind } from './libxc/domain-header.ts'
export { LIBXL, libxlHeader, libxlHeaderCodec, type LibxlHeader } from './libxl/stream-header.ts'

// What libxc records hold.
export { NO_SUBLEAF, type CpuidLeaf } from './libxc/x86-cpuid-policy.ts'
export { msrName } from './libxc/msr-names.ts'
export type { MsrPolicyEntry } from './libxc/x86-msr-policy.ts'
export { hvmParamName, savedHvmParams } from './libxc/hvm-param-names.ts'
export type { HvmParam } from './libxc/hvm-params.ts'
export type { X86PvInfo } from './libxc/x86-pv-info.ts'
export { p2mFrameCount, type X86PvP2mFrames } from './libxc/x86-pv-p2m-frames.ts'
export { readSharedInfo, type SharedInfo } from './libxc/shared-info.ts'
export { sharedInfo32, sharedInfo64, type SharedInfo32, type SharedInfo64 } from './libxc/shared-info-layout.ts'
export type { X86TscInfo } from './libxc/x86-tsc-info.ts'

// vCPUs of PV guests.
export { cr3ToPfn32, cr3ToPfn64, pfnToCr3of32, pfnToCr3of64, vcpuContext32, vcpuContext64, type VcpuContext32, type VcpuContext64 } from './libxc/vcpu-context.ts'
export { userRegs32, userRegs64, type UserRegs32, type UserRegs64 } from './libxc/user-regs.ts'
export type { VcpuRecord } from './libxc/vcpu-record.ts'
export type { VcpuBasic } from './libxc/x86-pv-vcpu-basic.ts'
export type { VcpuExtended } from './libxc/x86-pv-vcpu-extended.ts'
export type { VcpuMsr } from './libxc/x86-pv-vcpu-msrs.ts'
export { xsaveAreas, type XsaveArea } from './libxc/xsave-areas.ts'

// The HVM context: Xen's own records within HVM_CONTEXT.
export type { HvmSaveRecord } from './libxc/hvm-context/hvm-context.ts'
export { HVM_SAVE, type HvmSaveHeader } from './libxc/hvm-context/header.ts'
export { HVM_SAVE_CODE, hvmSaveCodec, hvmSaveName } from './libxc/hvm-context/save-records.ts'
export type { HvmCpu, HvmCpuCompat } from './libxc/hvm-context/cpu.ts'

// What libxl records hold.
export { EMULATOR, emulatorName } from './libxl/emulator.ts'
export type { EmulatorContext } from './libxl/emulator-context.ts'
export type { EmulatorXenstoreData, XenstoreEntry } from './libxl/emulator-xenstore-data.ts'
export { CHECKPOINT_STATE, checkpointStateName, encodeCheckpointState, type CheckpointState, type CheckpointStateName } from './libxl/checkpoint-state.ts'

// The back channel of COLO.
export { readBackChannel, type BackChannelRecord } from './libxl/back-channel.ts'
export { decodeDirtyPfns, encodeDirtyPfnRecord, readDirtyPfnBody, readDirtyPfnRecord, type DirtyPfnOptions } from './libxc/checkpoint-dirty-pfn-list.ts'

// The `xl` file and its configuration.
export { newXlHeader, XL, xlHeader, xlHeaderCodec, type XlHeader } from './xl/save-header.ts'
export { configOf, xlBlock, type XlBlock } from './xl/optional-block.ts'
export { summariseConfig, type ConfigKind, type ConfigSummary } from './xl/config.ts'
export type { DiskSummary, NicSummary } from './xl/config-content.ts'

// What two hosts say to each other when `xl migrate` moves a guest.
export { encodeStatus, expectMessage, expectStatus, xlMessageMeaning, xlMessages, type XlMessage } from './xl/handshake.ts'
export { xlConversations, type ConversationStep } from './xl/conversation.ts'
export { explainHandshake, type HandshakePiece } from './xl/explain-handshake.ts'

// Judging an image.
export { verify } from './rules/verify.ts'
export { createVerifier, type Verifier } from './rules/verifier.ts'
export type { Finding, Reread, StreamType, Verification, VerifyOptions } from './rules/finding.ts'
export type { Verdict, Verdicts } from './rules/verdict.ts'
export { rules, verdictsOf, type RuleCode } from './rules/table.ts'
export type { Judges, Rule } from './rules/rule.ts'

// An image as JSON, and JSON as an image.
export { describeImage, type DescribeOptions } from './json/describe-image.ts'
export { imageFromJson, type BuildOptions } from './json/build-image.ts'
export type { KeepPages } from './json/describe-pages.ts'
export type { ReadPages } from './json/build-pages.ts'

// What a restorer would have at the end of an image that can be read anywhere, and what can be made of it.
export { bytesAt, imageOfBytes, readerOf, type ImageBytes, type Place } from './transform/image-bytes.ts'
export { readSnapshot, type ImageHeaders, type OnProgress, type RecordPlace, type Snapshot, type VcpuRecords } from './transform/snapshot.ts'
export type { Break, Extent } from './transform/extent.ts'
export { PageIndex, type PageMode, type PageVersion } from './transform/page-index.ts'
export { memoryOf, type PageStretch } from './transform/page-contents.ts'
export { salvageOf, type Salvage } from './transform/salvage.ts'
export { plainImage } from './transform/repair.ts'
export { CONVERT_TARGETS, convertImage, convertWarnings, type ConvertOptions, type ConvertTarget, type ConvertWarning } from './transform/convert.ts'
export type { XlConfig } from './transform/xl-start.ts'
export { flatMemory, type MemoryLimits, type SparseOutput } from './transform/sparse-output.ts'
export { coreFile, type CoreFile } from './transform/core/core-file.ts'

// How two images differ.
export { diffImages, type DiffOptions, type ImageDiff, type ReadImage, type RecordCount } from './transform/diff/diff.ts'
export type { BlobDiff } from './transform/diff/blob-diff.ts'
export type { BoundedList } from './transform/diff/bounded.ts'
export type { PageDiff, PageRuns, TypeRun } from './transform/diff/page-diff.ts'
export type { Change } from './transform/diff/tree-diff.ts'

// Legacy streams, from before Xen 4.6.
export { walkLegacy } from './legacy/walk.ts'
export { detectLegacy, type LegacyKind } from './legacy/detect.ts'
export type { LegacyOptions } from './legacy/cursor.ts'
export type { LegacyGuest, LegacyWidth } from './legacy/chunk-types.ts'
export type { LegacyEntries } from './legacy/entries.ts'
export {
  onlineVcpus,
  type BatchStep,
  type CompressedDataStep,
  type ExtendedBlockStep,
  type ExtendedInfoStep,
  type HvmContextStep,
  type HvmParamStep,
  type LegacyStep,
  type MagicPfnsStep,
  type P2mFramesStep,
  type QemuStep,
  type SharedInfoStep,
  type StartStep,
  type ToolstackStep,
  type TscInfoStep,
  type UnmappedPfnsStep,
  type VcpuInfoStep,
  type VcpuStep,
} from './legacy/steps.ts'
export { checkLegacy, type LegacyCheck, type LegacyFinding } from './legacy/check.ts'
export { LEGACY_RULES, type LegacyRule, type LegacyRuleCode, type RefusedBy } from './legacy/rules.ts'
export { LegacyError } from './legacy/legacy-error.ts'
export { summariseLegacy, type LegacySummary } from './legacy/summary.ts'
export { convertLegacy, type ConvertLegacyOptions } from './legacy/convert.ts'
export { recentPages, type PageStore } from './legacy/page-store.ts'
export { encodeLegacy } from './legacy/encode.ts'
export { compressPage, decompressPage } from './legacy/compression.ts'

// What the engines write to, and codecs that they use page by page.
export { sinkOfBytes, type ByteSink } from './bytes/byte-sink.ts'
export { pageDataFront, pageDataLength, pageDataOf } from './libxc/page-data.ts'
export { hvmParams } from './libxc/hvm-params.ts'
export { x86PvInfo } from './libxc/x86-pv-info.ts'
export { x86PvP2mFrames } from './libxc/x86-pv-p2m-frames.ts'
export { x86TscInfo } from './libxc/x86-tsc-info.ts'
export { checkpointState } from './libxl/checkpoint-state.ts'
export { emulatorContext } from './libxl/emulator-context.ts'
export { emulatorXenstoreData } from './libxl/emulator-xenstore-data.ts'
export { printable } from './xl/printable.ts'

// QEMU: migration streams, and what a COLO pair says.
export { coloMessages, DEVICE_STATE_MAX, encodeColoMessage, readColoMessage, type ColoMessage, type ColoMessageName } from './qemu/colo-message.ts'
export { QemuReader } from './qemu/qemu-reader.ts'
export { isQemuStream, QEMU_FIRST_BYTES, walkCapture, type CaptureItem } from './qemu/walk-capture.ts'
export { createCaptureSummary, type CaptureSummariser, type CaptureSummary } from './qemu/capture-summary.ts'
export type { RamBlock, RamCount, RamVisitor } from './qemu/ram-payload.ts'
export type { QemuItem, QemuSection } from './qemu/stream-item.ts'
export { encodeDevices, encodeNoPages, writeQemuStream, type QemuState, type QemuStreamOptions } from './qemu/plain-stream.ts'
