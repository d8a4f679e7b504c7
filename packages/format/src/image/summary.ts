import type { Soon } from '../bytes/soon.ts'
import { viewOf } from '../bytes/struct.ts'
import type { HeaderItem, Item, RecordItem } from './item.ts'
import { RecordTally, type RecordsSummary } from './summary-records.ts'
import { LibxcTally, type LibxcSummary } from './summary-libxc.ts'
import { EMULATOR_PEEK, summariseEmulator, type EmulatorSummary } from './summary-emulator.ts'
import { XL2 } from '../libxl/record-types.ts'
import { LIBXL } from '../libxl/stream-header.ts'
import { summariseConfig, type ConfigSummary } from '../xl/config.ts'
import { configOf } from '../xl/optional-block.ts'
import { XL } from '../xl/save-header.ts'
import type { ImageFormat } from './recognise.ts'

/** The header of an `xl` file. */
export interface XlSummary {
  readonly mandatoryFlags: number
  readonly optionalFlags: number
  /** Written by a machine of the other byte order. */
  readonly foreign: boolean
  /** The header says that a libxl stream follows, not a legacy one. */
  readonly streamV2: boolean
}

/** The header of a libxl stream. */
export interface LibxlSummary {
  readonly version: number
  readonly options: number
  /** The header says that Xen's converter made it of a legacy stream. */
  readonly converted: boolean
}

/** How the walk over an image ended. */
export interface EndSummary {
  /** As the stop item of the walk has it; `none` while it goes on. */
  readonly reason: 'end' | 'eof' | 'cut' | 'lost' | 'none'
  readonly offset: number
  readonly layer: string
  readonly during: string
}

/** What an image is and what it holds. */
export interface Summary {
  readonly format: ImageFormat | 'unknown'
  readonly guest: 'pv' | 'pvh' | 'hvm' | 'unknown'
  readonly xl: XlSummary | undefined
  readonly config: ConfigSummary | undefined
  readonly libxl: LibxlSummary | undefined
  readonly libxc: LibxcSummary | undefined
  readonly emulator: EmulatorSummary | undefined
  readonly records: RecordsSummary
  readonly checkpoints: {
    /** In full there. */
    readonly complete: number
    /** Records follow the last complete checkpoint, and no end. */
    readonly partial: boolean
  }
  readonly end: EndSummary
}

/** Gathers a summary item by item, so that one walk can serve others as well. */
export interface Summariser {
  /** To be called before any other consumer of the item touches its body. */
  item(item: Item): Soon<void>
  finish(): Summary
}

/** A summariser. It looks at small bodies and page tables of records only, never at pages. */
export function createSummary(): Summariser {
  const tally = new ImageTally()
  return { item: (item) => tally.item(item), finish: () => tally.finish() }
}

class ImageTally {
  readonly #records = new RecordTally()
  readonly #libxc = new LibxcTally()
  #format: ImageFormat | 'unknown' = 'unknown'
  #xl: XlSummary | undefined
  #config: ConfigSummary | undefined
  #libxl: LibxlSummary | undefined
  #emulator: EmulatorSummary | undefined
  #end: EndSummary = { reason: 'none', offset: 0, layer: 'libxc', during: 'none' }

  item(item: Item): Soon<void> {
    switch (item.kind) {
      case 'record':
        this.#records.add(item)
        return item.layer === 'libxc' ? this.#libxc.record(item) : this.#libxlRecord(item)
      case 'padding':
        return
      case 'legacy':
        this.#begin('legacy')
        return
      case 'stop':
        this.#end = { reason: item.reason, offset: item.offset, layer: item.layer, during: item.during }
        return
      default:
        this.#header(item)
    }
  }

  finish(): Summary {
    const { complete, afterLast } = this.#records.checkpoints(this.#format === 'libxc' ? 'libxc' : 'libxl')
    return {
      format: this.#format,
      guest: this.#guest(),
      xl: this.#xl,
      config: this.#config,
      libxl: this.#libxl,
      libxc: this.#libxc.finish(),
      emulator: this.#emulator,
      records: this.#records.finish(),
      checkpoints: { complete, partial: complete > 0 && afterLast > 0 && this.#end.reason !== 'end' },
      end: this.#end,
    }
  }

  /** The outermost layer comes first. */
  #begin(format: ImageFormat): void {
    if (this.#format === 'unknown') this.#format = format
  }

  #header({ kind, bytes }: HeaderItem): void {
    const view = viewOf(bytes)
    switch (kind) {
      case 'xl-header':
        this.#begin('xl')
        this.#xl = xlHeader(view)
        return
      case 'xl-block':
        this.#config = xlBlock(bytes, this.#xl?.mandatoryFlags)
        return
      case 'libxl-header':
        this.#begin('libxl')
        this.#libxl = libxlHeader(view)
        return
      case 'image-header':
        this.#begin('libxc')
        this.#libxc.imageHeader(view)
        return
      case 'domain-header':
        this.#libxc.domainHeader(view)
    }
  }

  async #libxlRecord({ type, length, body }: RecordItem): Promise<void> {
    if (type === XL2.EMULATOR_CONTEXT) this.#emulator = summariseEmulator(await body.peek(EMULATOR_PEEK), length)
  }

  /** PVH guests have HVM images; only the configuration tells them apart. */
  #guest(): Summary['guest'] {
    const guest = this.#libxc.finish()?.guest ?? 'unknown'
    return guest === 'hvm' && this.#config?.type === 'pvh' ? 'pvh' : guest
  }
}

function xlHeader(view: DataView): XlSummary {
  const mandatoryFlags = view.getUint32(36, true)
  return {
    mandatoryFlags,
    optionalFlags: view.getUint32(40, true),
    foreign: view.getUint32(32, true) !== XL.byteOrder,
    streamV2: (mandatoryFlags & XL.streamV2) !== 0,
  }
}

/** @returns undefined when there is no configuration. */
function xlBlock(bytes: Uint8Array, flags = 0): ConfigSummary | undefined {
  const config = configOf(bytes)
  return config && summariseConfig(config, (flags & XL.jsonConfig) === 0 ? 'text' : 'json')
}

function libxlHeader(view: DataView): LibxlSummary {
  const options = view.getUint32(12)
  return { version: view.getUint32(8), options, converted: (options & LIBXL.convertedFromLegacy) !== 0 }
}
