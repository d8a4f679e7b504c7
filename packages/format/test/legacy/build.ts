import { bytesOf, type Part } from './streams.ts'

/** Chunk types and counts are 32-bit words; negative ones wrap. */
export const word = (...values: number[]): Part => ['w', ...values.map((value) => value >>> 0)]

/** An unsigned long of the toolstack. */
export const ulong = (width: 32 | 64, ...values: (number | bigint)[]): Part =>
  width === 64 ? ['q', ...values.map((value) => BigInt.asUintN(64, BigInt(value)))] : ['w', ...values.map((value) => Number(BigInt.asUintN(32, BigInt(value))))]

export const page = (fill: number): Uint8Array => new Uint8Array(4096).fill(fill)

interface Hvm {
  readonly width?: 32 | 64
  readonly p2mSize?: number | bigint
  readonly context?: string
  readonly qemu?: readonly Part[]
}

const QEMU: readonly Part[] = ['DeviceModelRecord0002', word(4), 'QEVM']

/** A whole HVM stream around these chunks. */
export const hvm = (chunks: readonly Part[], { width = 64, p2mSize = 256, context = 'ctx', qemu = QEMU }: Hvm = {}): Uint8Array =>
  bytesOf(ulong(width, p2mSize), ...chunks, word(0), ['q', 5, 6, 1], word(context.length), context, ...qemu)

interface Pv {
  readonly width?: 32 | 64
  readonly p2mSize?: number | bigint
  readonly marker?: bigint
  readonly blocks?: readonly Part[]
  /** When the blocks say something else than their length. */
  readonly length?: number
  readonly vcpus?: readonly Part[]
}

export const block = (id: string, data: Uint8Array): readonly Part[] => [id, word(data.length), data]
export const context64 = new Uint8Array(0x1430)
export const context32 = new Uint8Array(0xaf0)
/** One vCPU, number 0. */
export const vcpu0: readonly Part[] = [word(-2, 0), ['q', 1]]

/** A whole PV stream around these chunks. */
export function pv(chunks: readonly Part[], options: Pv = {}): Uint8Array {
  const { width = 64, p2mSize = 9, marker = -1n, blocks = block('vcpu', context64), vcpus = [context64] } = options
  const info = bytesOf(...blocks)
  const head = bytesOf(ulong(width, p2mSize, marker), word(options.length ?? info.length), info)
  return bytesOf(head, ulong(width, 3), ...chunks, word(0), word(1), ulong(width, 7), ...vcpus, page(0xee))
}
