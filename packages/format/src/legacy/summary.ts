import type { ByteReader } from '../bytes/byte-reader.ts'
import { PageMap } from '../image/page-map.ts'
import { pageTypeName } from '../libxc/page-data.ts'
import { TAIL_PARAM, VCPU_CONTEXT, type LegacyGuest, type LegacyWidth, type QemuSignature } from './chunk-types.ts'
import type { LegacyOptions } from './cursor.ts'
import { onlineVcpus, type BatchStep, type LegacyStep, type StartStep, type TscInfoStep } from './steps.ts'
import { walkLegacy } from './walk.ts'

/** What a legacy stream holds. */
export interface LegacySummary {
  readonly guest: LegacyGuest
  /** Width of the toolstack that saved, in bits. */
  readonly width: LegacyWidth
  /** Bits of a PV guest's own words; undefined for HVM. */
  readonly guestWidth: LegacyWidth | undefined
  /** Guest size in pages, as the first word says. */
  readonly pages: bigint
  readonly batches: number
  /** Pfns by the type that they were last given, for the types that occur. */
  readonly types: Readonly<Record<string, number>>
  /** Numbers of the online vCPUs. */
  readonly vcpus: readonly number[]
  /** Value of each HVM parameter by its number; where one came twice, the later one. */
  readonly hvmParams: ReadonlyMap<number, bigint>
  readonly tsc: Pick<TscInfoStep, 'mode' | 'nsec' | 'khz' | 'incarnation'> | undefined
  readonly qemu: { readonly signature: QemuSignature; readonly bytes: number } | undefined
  /** Bytes of the toolstack blobs. */
  readonly toolstack: number
  /** The saver said that no further checkpoint follows. Without it a Remus stream may go on. */
  readonly lastCheckpoint: boolean
  /** Compression was turned on. */
  readonly compressed: boolean
  /** Pages were sent once more, to be compared. */
  readonly verify: boolean
  /** Bytes of the stream. */
  readonly bytes: number
}

/**
 * Sums a legacy stream up; page contents are passed over.
 *
 * @throws FormatError as `walkLegacy`.
 */
export async function summariseLegacy(reader: ByteReader, options: LegacyOptions = {}): Promise<LegacySummary> {
  const start = reader.offset
  const tally = new LegacyTally()
  for await (const step of walkLegacy(reader, options)) tally.see(step)
  return tally.finish(reader.offset - start) as LegacySummary
}

/** Sums up the steps of a walk that somebody else makes. */
export class LegacyTally {
  #first: StartStep | undefined
  readonly #types = new PageMap()
  readonly #vcpus = new Set<number>()
  readonly #params = new Map<number, bigint>()
  readonly #seen = new Set<LegacyStep['kind']>()
  #batches = 0
  #toolstack = 0
  #guestWidth: LegacyWidth | undefined
  #tsc: LegacySummary['tsc']
  #qemu: LegacySummary['qemu']

  see(step: LegacyStep): void {
    this.#seen.add(step.kind)
    if (step.kind === 'start') this.#first = step
    switch (step.kind) {
      case 'extended-block':
        if (step.id === 'vcpu') this.#guestWidth = VCPU_CONTEXT.get(step.data.length)?.width === 4 ? 32 : 64
        break
      case 'batch':
        this.#batch(step)
        break
      case 'vcpu-info':
        for (const id of onlineVcpus(step.bitmap)) this.#vcpus.add(id)
        break
      case 'hvm-param':
        this.#params.set(step.param, step.value)
        break
      case 'magic-pfns':
        this.#params.set(TAIL_PARAM.IOREQ_PFN, step.ioreq).set(TAIL_PARAM.BUFIOREQ_PFN, step.bufferedIoreq).set(TAIL_PARAM.STORE_PFN, step.store)
        break
      case 'tsc-info':
        this.#tsc = { mode: step.mode, nsec: step.nsec, khz: step.khz, incarnation: step.incarnation }
        break
      case 'toolstack':
        this.#toolstack += step.data.length
        break
      case 'qemu':
        this.#qemu = { signature: step.signature, bytes: step.data.length }
    }
  }

  #batch({ entries }: BatchStep): void {
    this.#batches++
    for (let i = 0; i < entries.count; i++) if (!entries.isFiller(i)) this.#types.set(entries.pfn(i), entries.type(i))
  }

  /**
   * @param bytes length of the stream.
   * @returns undefined when the stream ended before its kind could be told.
   */
  finish(bytes: number): LegacySummary | undefined {
    if (this.#first === undefined) return undefined
    const { guest, width, p2mSize } = this.#first
    return { guest, width, pages: p2mSize, ...this.#rest(), bytes }
  }

  #rest(): Omit<LegacySummary, 'guest' | 'width' | 'pages' | 'bytes'> {
    const types: Record<string, number> = {}
    for (const [, type] of this.#types.entries()) {
      const name = pageTypeName(type)
      types[name] = (types[name] ?? 0) + 1
    }
    return {
      guestWidth: this.#guestWidth,
      batches: this.#batches,
      types,
      vcpus: [...this.#vcpus],
      hvmParams: this.#params,
      tsc: this.#tsc,
      qemu: this.#qemu,
      toolstack: this.#toolstack,
      lastCheckpoint: this.#seen.has('last-checkpoint'),
      compressed: this.#seen.has('enable-compression'),
      verify: this.#seen.has('verify-mode'),
    }
  }
}
