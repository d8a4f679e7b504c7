import type { ByteReader } from '../bytes/byte-reader.ts'
import { viewOf, writeStruct } from '../bytes/struct.ts'
import { FormatError } from '../format-error.ts'
import { encodeRecord } from '../frame/encode.ts'
import type { HeaderItem, Item, RecordItem, StopItem } from '../image/item.ts'
import { walk } from '../image/walk.ts'
import { convertLegacy, type ConvertLegacyOptions } from '../legacy/convert.ts'
import { XC } from '../libxc/record-types.ts'
import { EMULATOR } from '../libxl/emulator.ts'
import { emulatorContext } from '../libxl/emulator-context.ts'
import { XL2 } from '../libxl/record-types.ts'
import { LIBXL, libxlHeader } from '../libxl/stream-header.ts'
import { copyRecord, zeroPadding, type Stream } from './copy-item.ts'
import { xlStart, type XlConfig } from './xl-start.ts'

export const CONVERT_TARGETS = ['libxc-v3', 'libxl-v2', 'xl'] as const
export type ConvertTarget = (typeof CONVERT_TARGETS)[number]

/** Something that the wanted format cannot hold, or that Xen will miss in it. */
export const convertWarnings = {
  'config-dropped': 'the configuration of the xl file is left out; `xr extract --config` keeps it',
  'no-config': 'the xl file has no configuration: `xl restore` needs one as an argument',
  'emulator-dropped': 'the device model’s state is left out; `xr extract --emulator` keeps it',
  'no-emulator': 'the image has no device model’s state, without which xl restores PV and PVH guests only',
  'tail-cut': 'the image ends within a record, and so does the output; restorers drop what is not complete',
} as const
export type ConvertWarning = keyof typeof convertWarnings

export interface ConvertOptions extends Pick<ConvertLegacyOptions, 'guest' | 'width'> {
  readonly to: ConvertTarget
  /** For target `xl`: replaces the configuration of the input. */
  readonly config?: XlConfig | undefined
  /** For targets with a libxl stream, from a bare libxc image: QEMU's state. */
  readonly emulator?: Uint8Array | undefined
  /** Told of each kind of loss once. */
  readonly onWarning?: (warning: ConvertWarning) => void
}

/**
 * Puts an image into another container, and into version 3 where a bare libxc image is wanted. Bodies of records are passed through
 * byte for byte; nothing is held but headers.
 *
 * Checkpointed images are taken where only the container changes; the records of their checkpoints are nested otherwise in a libxl
 * stream than in a bare image.
 *
 * @throws FormatError FMT_CONVERT | FMT_CHECKPOINTED | FMT_TRUNCATED, those of a legacy conversion
 */
export async function* convertImage(reader: ByteReader, options: ConvertOptions): Stream {
  const conversion = new Conversion(reader, options)
  for await (const item of walk(reader)) yield* conversion.take(item)
}

const NOTHING = new Uint8Array(0)

class Conversion {
  readonly #reader: ByteReader
  readonly #options: ConvertOptions
  readonly #toLibxl: boolean
  readonly #warned = new Set<ConvertWarning>()
  #xl: HeaderItem | undefined
  #block: Uint8Array = NOTHING
  /** What follows the record just copied: its padding, then what is to come behind it. */
  #pending: Uint8Array[] = []
  #fromLibxl = false
  #checkpointed = false
  /** A version 2 image for a version 3 one: STATIC_DATA_END is still to be written. */
  #staticEndDue = false

  constructor(reader: ByteReader, options: ConvertOptions) {
    this.#reader = reader
    this.#options = options
    this.#toLibxl = options.to !== 'libxc-v3'
  }

  async *take(item: Item): Stream {
    if (item.kind === 'padding') {
      if (this.#pending.length > 0) this.#pending[0] = item.bytes
      return
    }
    yield* this.#pending
    this.#pending = []
    switch (item.kind) {
      case 'record':
        return yield* this.#record(item)
      case 'stop':
        return this.#stop(item)
      case 'legacy':
        return yield* this.#legacy()
      default:
        yield* this.#header(item)
    }
  }

  *#header(item: HeaderItem): Generator<Uint8Array, void, void> {
    switch (item.kind) {
      case 'xl-header':
        this.#xl = item
        return
      case 'xl-block':
        this.#block = item.bytes
        return
      case 'libxl-header':
        this.#fromLibxl = true
        yield* this.#start()
        if (this.#toLibxl) yield item.bytes
        return
      case 'image-header':
        return yield* this.#imageHeader(item)
      case 'domain-header':
        if (viewOf(item.bytes).getUint32(0, true) === 2 && this.#wraps && this.#options.emulator === undefined) this.#warn('no-emulator')
        yield item.bytes
    }
  }

  get #wraps(): boolean {
    return this.#toLibxl && !this.#fromLibxl
  }

  *#imageHeader({ bytes }: HeaderItem): Generator<Uint8Array, void, void> {
    if (!this.#fromLibxl) yield* this.#start()
    if (this.#wraps) {
      yield writeStruct(libxlHeader, { ident: LIBXL.ident, version: LIBXL.version, options: 0 })
      yield encodeRecord(XL2.LIBXC_CONTEXT)
    }
    const header = new Uint8Array(bytes)
    this.#staticEndDue = !this.#toLibxl && viewOf(bytes).getUint32(12) === 2
    if (this.#staticEndDue) viewOf(header).setUint32(12, 3)
    yield header
  }

  /** What stands before the libxl stream or the libxc image. */
  *#start(): Generator<Uint8Array, void, void> {
    const { to, config } = this.#options
    if (to === 'xl') yield* xlStart({ header: this.#xl?.bytes, block: this.#block, config, onNoConfig: () => this.#warn('no-config') })
    else if (this.#block.length > 4) this.#warn('config-dropped')
  }

  async *#record(record: RecordItem): Stream {
    if (record.layer === 'libxc') return yield* this.#libxcRecord(record)
    if (this.#toLibxl) return yield* this.#copy(record)
    if (record.type === XL2.EMULATOR_CONTEXT || record.type === XL2.EMULATOR_XENSTORE_DATA) this.#warn('emulator-dropped')
  }

  async *#libxcRecord(record: RecordItem): Stream {
    const { type } = record
    if (type === XC.CHECKPOINT) this.#checkpoint(record)
    if (this.#staticEndDue && endsStaticData.has(type)) {
      this.#staticEndDue = false
      if (type !== XC.STATIC_DATA_END) yield encodeRecord(XC.STATIC_DATA_END)
    }
    yield* this.#copy(record)
    if (type !== XC.END || !this.#wraps) return
    const { emulator } = this.#options
    if (emulator !== undefined) this.#pending.push(encodeRecord(XL2.EMULATOR_CONTEXT, emulatorContext.encode({ emulator: EMULATOR.QEMU, index: 0, state: emulator })))
    this.#pending.push(encodeRecord(XL2.END))
  }

  async *#copy(record: RecordItem): Stream {
    yield* copyRecord(record)
    this.#pending = [zeroPadding(record)]
  }

  #checkpoint({ offset, index }: RecordItem): void {
    this.#checkpointed = true
    if (this.#toLibxl === this.#fromLibxl) return
    throw new FormatError('FMT_CHECKPOINTED', 'the image is a series of checkpoints, which only a plain copy can be made of', {
      offset,
      record: index,
      hint: 'make it plain first: `xr repair IN PLAIN`, then convert PLAIN',
    })
  }

  async *#legacy(): Stream {
    const { to, guest, width } = this.#options
    yield* this.#start()
    yield* convertLegacy(this.#reader, { to: to === 'libxc-v3' ? to : 'libxl-v2', guest, width })
  }

  #stop({ reason, offset }: StopItem): void {
    if (reason === 'end') return
    if (reason === 'lost') throw new FormatError('FMT_CONVERT', 'what comes next is none of the known formats', { offset, hint: '`xr verify` tells what is wrong with the image' })
    if (!this.#checkpointed) {
      throw new FormatError('FMT_TRUNCATED', 'the image ends before its END', { offset, hint: 'try `xr repair`, which salvages what is complete' })
    }
    if (reason === 'cut') this.#warn('tail-cut')
  }

  #warn(warning: ConvertWarning): void {
    if (!this.#warned.has(warning)) this.#options.onWarning?.(warning)
    this.#warned.add(warning)
  }
}

/** In a version 2 image the first of these says that all static data have come. */
const endsStaticData: ReadonlySet<number> = new Set([XC.X86_PV_P2M_FRAMES, XC.PAGE_DATA, XC.CHECKPOINT, XC.END, XC.STATIC_DATA_END])
