import { ByteReader, truncated } from '../bytes/byte-reader.ts'
import { sourceOfBytes } from '../bytes/byte-source.ts'
import { Body } from '../image/body.ts'
import type { LegacyGuest, LegacyWidth, QemuSignature } from './chunk-types.ts'
import type { LegacyEntries } from './entries.ts'

/** `offset` is that of the step's first byte in the stream. */
interface At<Kind extends string> {
  readonly kind: Kind
  readonly offset: number
}

/** Guest size in pages; `guest` and `width` are not in the bytes. */
export interface StartStep extends At<'start'> {
  readonly p2mSize: bigint
  readonly guest: LegacyGuest
  readonly width: LegacyWidth
}
/** Head of the PV extended information; its blocks follow as steps. `length` counts their bytes, heads included. */
export interface ExtendedInfoStep extends At<'extended-info'> {
  readonly length: number
}
/** `id` has four characters, one a byte. */
export interface ExtendedBlockStep extends At<'extended-block'> {
  readonly id: string
  readonly data: Uint8Array
}
/** The frames of the PV guest's p2m table, as words of the toolstack's width. */
export interface P2mFramesStep extends At<'p2m-frames'> {
  readonly count: number
  readonly frames: Body
}
/** Pages: entries, then their contents, unless they come compressed in later steps. */
export interface BatchStep extends At<'batch'> {
  readonly entries: LegacyEntries
  readonly contents: Body | 'compressed'
}
/** The online vCPUs, a bit each in 64-bit words. */
export interface VcpuInfoStep extends At<'vcpu-info'> {
  readonly maxId: number
  readonly bitmap: Uint8Array
}
export interface HvmParamStep extends At<'hvm-param'> {
  readonly chunk: number
  readonly name: string
  readonly param: number
  readonly pad: number
  readonly value: bigint
}
export interface TscInfoStep extends At<'tsc-info'> {
  readonly mode: number
  readonly nsec: bigint
  readonly khz: number
  readonly incarnation: number
}
/** A piece of the run of compressed pages. `sizeBytes`: bytes of its length field. */
export interface CompressedDataStep extends At<'compressed-data'> {
  readonly sizeBytes: 4 | 8
  readonly data: Body
}
export interface ToolstackStep extends At<'toolstack'> {
  readonly data: Uint8Array
}
/** PV tail: pfns that the guest gave back while it was saved. */
export interface UnmappedPfnsStep extends At<'unmapped-pfns'> {
  readonly count: number
  readonly pfns: Body
}
/** PV tail: one online vCPU. */
export interface VcpuStep extends At<'vcpu'> {
  readonly id: number
  readonly basic: Uint8Array
  readonly extended: Uint8Array | undefined
  readonly xsave: { readonly mask: bigint; readonly data: Uint8Array } | undefined
}
export interface SharedInfoStep extends At<'shared-info'> {
  readonly data: Uint8Array
}
/** HVM tail: frame numbers of the rings. */
export interface MagicPfnsStep extends At<'magic-pfns'> {
  readonly ioreq: bigint
  readonly bufferedIoreq: bigint
  readonly store: bigint
}
export interface HvmContextStep extends At<'hvm-context'> {
  readonly data: Uint8Array
}
export interface QemuStep extends At<'qemu'> {
  readonly signature: QemuSignature
  readonly data: Uint8Array
}

/** One piece of a legacy stream; the steps in order are the stream, byte for byte. */
export type LegacyStep =
  | StartStep
  | ExtendedInfoStep
  | ExtendedBlockStep
  | P2mFramesStep
  | BatchStep
  | At<'verify-mode'>
  | VcpuInfoStep
  | HvmParamStep
  | TscInfoStep
  | At<'last-checkpoint'>
  | At<'enable-compression'>
  | CompressedDataStep
  | ToolstackStep
  | At<'end-of-chunks'>
  | UnmappedPfnsStep
  | VcpuStep
  | SharedInfoStep
  | MagicPfnsStep
  | HvmContextStep
  | QemuStep
  | At<'end'>

/** Steps of a stream or of one part of it. */
export type LegacySteps = AsyncGenerator<LegacyStep, void, void>

/** Bytes at hand in the form in which steps carry long contents. */
export const bodyOf = (bytes: Uint8Array): Body => new Body(new ByteReader(sourceOfBytes(bytes)), bytes.length)

const PIECE = 64 * 1024

/**
 * The rest of a body in pieces of at most 64 KiB, each in memory of its own.
 *
 * @throws FormatError FMT_TRUNCATED
 */
export async function* piecesOf(body: Body): AsyncGenerator<Uint8Array, void, void> {
  for (let piece = await body.some(PIECE); piece !== undefined; piece = await body.some(PIECE)) yield new Uint8Array(piece) // not slice(): of a Node Buffer that is no copy
  refuseCut(body)
}

/** @throws FormatError FMT_TRUNCATED when the stream ended within this body. */
export function refuseCut(body: Body): void {
  if (body.cut) throw truncated(body.length, body.length - body.left, body.offset + body.length - body.left)
}

/** Numbers of the vCPUs that are online, ascending. */
export function onlineVcpus(bitmap: Uint8Array): number[] {
  const ids: number[] = []
  for (const [i, byte] of bitmap.entries()) for (let bit = 0; bit < 8; bit++) if (((byte >> bit) & 1) === 1) ids.push(8 * i + bit)
  return ids
}
