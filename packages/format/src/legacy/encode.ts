import { viewOf } from '../bytes/struct.ts'
import { CHUNK, QEMU_SIGNATURE, type LegacyWidth } from './chunk-types.ts'
import { piecesOf, type CompressedDataStep, type LegacyStep, type QemuStep, type VcpuStep } from './steps.ts'

/** A number and how it stands: `s` signed 32 bits, `w` unsigned 32, `q` 64, `l` an unsigned long. */
type Word = readonly ['s' | 'w', number] | readonly ['q' | 'l', bigint]

/**
 * The bytes of a legacy stream from its steps: what `walkLegacy` read comes out as it was.
 *
 * @throws FormatError FMT_TRUNCATED when long contents of a step end early.
 */
export async function* encodeLegacy(steps: AsyncIterable<LegacyStep> | Iterable<LegacyStep>): AsyncGenerator<Uint8Array, void, void> {
  let width: LegacyWidth = 64
  for await (const step of steps) {
    if (step.kind === 'start') width = step.width
    const words = wordsOf(step)
    if (words.length > 0) yield packed(words, width)
    yield* dataOf(step)
  }
}

function packed(words: readonly Word[], width: LegacyWidth): Uint8Array {
  const size = ([form]: Word): number => (form === 's' || form === 'w' || (form === 'l' && width === 32) ? 4 : 8)
  const out = new Uint8Array(words.reduce((sum, word) => sum + size(word), 0))
  const view = viewOf(out)
  let at = 0
  for (const word of words) {
    if (size(word) === 4) view.setUint32(at, Number(BigInt.asUintN(32, BigInt(word[1]))), true)
    else view.setBigUint64(at, BigInt(word[1]), true)
    at += size(word)
  }
  return out
}

/** What stands in front of a step's data. */
function wordsOf(step: LegacyStep): readonly Word[] {
  switch (step.kind) {
    case 'start':
      return [['l', step.p2mSize]]
    case 'extended-info':
      return [['l', 0xffff_ffff_ffff_ffffn], ['w', step.length]]
    case 'batch':
      return [['s', step.entries.count]]
    case 'verify-mode':
      return [['s', CHUNK.ENABLE_VERIFY_MODE]]
    case 'vcpu-info':
      return [['s', CHUNK.VCPU_INFO], ['s', step.maxId]]
    case 'hvm-param':
      return [['s', step.chunk], ['w', step.pad], ['q', step.value]]
    case 'tsc-info':
      return [['s', CHUNK.TSC_INFO], ['w', step.mode], ['q', step.nsec], ['w', step.khz], ['w', step.incarnation]]
    case 'last-checkpoint':
      return [['s', CHUNK.LAST_CHECKPOINT]]
    case 'enable-compression':
      return [['s', CHUNK.ENABLE_COMPRESSION]]
    case 'compressed-data':
      return [['s', CHUNK.COMPRESSED_DATA], lengthOf(step)]
    case 'toolstack':
      return [['s', CHUNK.TOOLSTACK], ['w', step.data.length]]
    case 'end-of-chunks':
      return [['s', CHUNK.END]]
    case 'unmapped-pfns':
      return [['w', step.count]]
    case 'magic-pfns':
      return [['q', step.ioreq], ['q', step.bufferedIoreq], ['q', step.store]]
    case 'hvm-context':
      return [['w', step.data.length]]
    default:
      return []
  }
}

const lengthOf = ({ sizeBytes, data }: CompressedDataStep): Word => (sizeBytes === 4 ? ['w', data.length] : ['q', BigInt(data.length)])

async function* dataOf(step: LegacyStep): AsyncGenerator<Uint8Array, void, void> {
  switch (step.kind) {
    case 'extended-block':
      yield packed([['w', idWord(step.id)], ['w', step.data.length]], 64)
      yield step.data
      break
    case 'p2m-frames':
      yield* piecesOf(step.frames)
      break
    case 'batch':
      yield step.entries.bytes
      if (step.contents !== 'compressed') yield* piecesOf(step.contents)
      break
    case 'vcpu-info':
      yield step.bitmap
      break
    case 'unmapped-pfns':
      yield* piecesOf(step.pfns)
      break
    case 'compressed-data':
      yield* piecesOf(step.data)
      break
    case 'vcpu':
      yield* encodeVcpu(step)
      break
    case 'qemu':
      yield encodeQemu(step)
      break
    case 'toolstack':
    case 'hvm-context':
    case 'shared-info':
      yield step.data
  }
}

const idWord = (id: string): number => viewOf(Uint8Array.from(id, (c) => c.charCodeAt(0))).getUint32(0, true)

function* encodeVcpu({ basic, extended, xsave }: VcpuStep): Generator<Uint8Array, void, void> {
  yield basic
  if (extended !== undefined) yield extended
  if (xsave === undefined) return
  yield packed([['q', xsave.mask], ['q', BigInt(xsave.data.length)]], 64)
  yield xsave.data
}

/** A QEMU record in one piece. */
export function encodeQemu({ signature, data }: QemuStep): Uint8Array {
  const length = signature === QEMU_SIGNATURE.TO_END ? new Uint8Array(0) : packed([['w', data.length]], 64)
  const out = new Uint8Array(signature.length + length.length + data.length)
  out.set(Uint8Array.from(signature, (c) => c.charCodeAt(0)))
  out.set(length, signature.length)
  out.set(data, signature.length + length.length)
  return out
}
