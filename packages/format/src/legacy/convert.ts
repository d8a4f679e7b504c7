import type { ByteReader } from '../bytes/byte-reader.ts'
import { HOLD_MAX, PAGE_SIZE } from '../bytes/limits.ts'
import type { Body } from '../image/body.ts'
import { hasContent } from '../libxc/page-data.ts'
import { TAIL_PARAM, VCPU_CONTEXT } from './chunk-types.ts'
import { CompressedPages, type FilledBatch } from './compressed-pages.ts'
import type { LegacyOptions } from './cursor.ts'
import { encodeQemu } from './encode.ts'
import type { LegacyEntries } from './entries.ts'
import { LegacyJudge } from './judge.ts'
import { LegacyError } from './legacy-error.ts'
import { recentPages, type PageStore } from './page-store.ts'
import { LEGACY_RULES } from './rules.ts'
import {
  piecesOf,
  refuseCut,
  type BatchStep,
  type ExtendedBlockStep,
  type LegacyStep,
  type P2mFramesStep,
  type StartStep,
  type ToolstackStep,
  type VcpuStep,
} from './steps.ts'
import { physmapKeys, readToolstack } from './toolstack.ts'
import * as v2 from './v2-records.ts'
import { walkLegacy } from './walk.ts'

export interface ConvertLegacyOptions extends LegacyOptions {
  /** `libxc-v3` keeps the QEMU record behind the image as it is and leaves libxl's own data out; it is what the old `xc_restore` took. */
  readonly to: 'libxl-v2' | 'libxc-v3'
  /**
   * Where compressed pages find what they build on. The default holds the last 64 MiB of pages sent since compression began, which is
   * twice what Xen's sender compresses against. A store given here is told of every page of the stream.
   */
  readonly pages?: PageStore | undefined
}

const PIECE = 64 * 1024

type Pieces = AsyncGenerator<Uint8Array, void, void>

/**
 * Converts a legacy stream, byte for byte as Xen's `convert-legacy-stream` does where that is right. Beyond it: compressed streams and
 * all three QEMU records are converted, unknown extended blocks are left out, batches of nothing but filler too, and so are
 * device-model keys of PV guests, which the restorer would refuse.
 *
 * What Xen's restorer would refuse is refused here, before it is written.
 *
 * @throws FormatError FMT_LEGACY_GUEST_UNKNOWN | FMT_LEGACY_CHUNK | FMT_LEGACY_UNSUPPORTED | FMT_TRUNCATED
 */
export async function* convertLegacy(reader: ByteReader, options: ConvertLegacyOptions): Pieces {
  let conversion: Conversion | undefined
  for await (const step of walkLegacy(reader, options)) {
    conversion ??= new Conversion(step as StartStep, options)
    yield* conversion.take(step)
  }
}

class Conversion {
  readonly #start: StartStep
  readonly #options: ConvertLegacyOptions
  readonly #judge = new LegacyJudge((rule, offset, detail) => {
    if (LEGACY_RULES[rule].convert === 'stops') throw new LegacyError(rule, offset, detail)
  })
  readonly #compressed: CompressedPages
  readonly #params: (readonly [number, bigint])[] = []
  readonly #keys: Uint8Array[] = []
  #keyBytes = 0

  constructor(start: StartStep, options: ConvertLegacyOptions) {
    this.#start = start
    this.#options = options
    this.#compressed = new CompressedPages(options.pages ?? recentPages())
  }

  async *take(step: LegacyStep): Pieces {
    if (step.kind !== 'toolstack' || this.#toLibxl) this.#judge.see(step)
    switch (step.kind) {
      case 'start':
        if (this.#toLibxl) yield v2.libxlStart()
        yield v2.libxcStart(step.guest)
        if (step.guest === 'hvm') yield v2.staticDataEnd()
        break
      case 'extended-block':
        yield* pvInfoOf(step)
        break
      case 'p2m-frames':
        yield v2.staticDataEnd()
        yield* this.#p2mFrames(step)
        break
      case 'batch':
        yield* this.#batch(step)
        break
      case 'compressed-data':
        for await (const batch of this.#compressed.feed(step.data)) yield* recordOf(batch)
        break
      case 'tsc-info':
        yield v2.tscInfo(step)
        break
      case 'hvm-param':
        this.#params.push([step.param, step.value])
        break
      case 'toolstack':
        this.#toolstack(step)
        break
      case 'end-of-chunks':
        yield* this.#endOfChunks(step.offset)
        break
      default:
        yield* this.#tail(step)
    }
  }

  *#tail(step: LegacyStep): Generator<Uint8Array, void, void> {
    switch (step.kind) {
      case 'vcpu':
        yield* vcpuRecords(step)
        break
      case 'shared-info':
        yield v2.sharedInfo(step.data)
        yield v2.libxcEnd()
        break
      case 'magic-pfns':
        yield v2.paramsRecord([
          [TAIL_PARAM.IOREQ_PFN, step.ioreq],
          [TAIL_PARAM.BUFIOREQ_PFN, step.bufferedIoreq],
          [TAIL_PARAM.STORE_PFN, step.store],
        ])
        break
      case 'hvm-context':
        yield v2.hvmContext(step.data)
        yield v2.libxcEnd()
        break
      case 'qemu':
        if (this.#keys.length > 0) yield v2.emulatorXenstore(this.#keys)
        yield this.#toLibxl ? v2.emulatorContext(step.data) : encodeQemu(step)
        break
      case 'end':
        if (this.#toLibxl) yield v2.libxlEnd()
    }
  }

  get #toLibxl(): boolean {
    return this.#options.to === 'libxl-v2'
  }

  async *#p2mFrames({ count, frames }: P2mFramesStep): Pieces {
    yield v2.p2mFramesFront(Number(this.#start.p2mSize - 1n), count)
    while (frames.left > 0) {
      const piece = await frames.upTo(PIECE)
      refuseCut(frames)
      yield this.#start.width === 64 ? new Uint8Array(piece) : v2.widened(piece)
    }
  }

  async *#batch({ offset, entries, contents }: BatchStep): Pieces {
    if (contents === 'compressed') {
      this.#compressed.announce(entries, offset)
      return
    }
    const front = v2.pageDataFront(entries)
    if (front === undefined) return
    yield front
    yield* this.#options.pages === undefined ? piecesOf(contents) : keptIn(this.#options.pages, entries, contents)
  }

  *#endOfChunks(offset: number): Generator<Uint8Array, void, void> {
    for (const batch of this.#compressed.complete()) yield* recordOf(batch)
    this.#compressed.finish(offset)
    if (this.#params.length > 0) yield v2.paramsRecord(this.#params)
  }

  #toolstack({ offset, data }: ToolstackStep): void {
    if (!this.#toLibxl || this.#start.guest === 'pv') return
    for (const region of readToolstack(data, this.#start.width, offset, () => undefined)) {
      const keys = physmapKeys(region)
      this.#keys.push(keys)
      this.#keyBytes += keys.length
    }
    if (this.#keyBytes > (this.#options.blobMax ?? HOLD_MAX)) throw new LegacyError('LG_TOO_LONG', offset, 'the toolstack keys')
  }
}

function* pvInfoOf({ id, data }: ExtendedBlockStep): Generator<Uint8Array, void, void> {
  const context = id === 'vcpu' ? VCPU_CONTEXT.get(data.length) : undefined
  if (context !== undefined) yield v2.pvInfo(context.width, context.levels)
}

function* recordOf({ entries, pages }: FilledBatch): Generator<Uint8Array, void, void> {
  const front = v2.pageDataFront(entries)
  if (front === undefined) return
  yield front
  yield* pages
}

/** The pages of a batch one by one, each told to the store. */
async function* keptIn(store: PageStore, entries: LegacyEntries, contents: Body): Pieces {
  for (let i = 0; i < entries.count; i++) {
    if (!hasContent(entries.type(i))) continue
    const page = new Uint8Array(await contents.upTo(PAGE_SIZE))
    refuseCut(contents)
    await store.set(entries.pfn(i), page)
    yield page
  }
}

function* vcpuRecords({ id, basic, extended, xsave }: VcpuStep): Generator<Uint8Array, void, void> {
  yield v2.pvVcpu('BASIC', id, basic)
  if (extended !== undefined) yield v2.pvVcpu('EXTENDED', id, extended)
  if (xsave !== undefined) yield v2.pvVcpu('XSAVE', id, xsave.data)
}
