import { XC } from '../libxc/record-types.ts'
import { XL2 } from '../libxl/record-types.ts'
import type { RecordItem } from './item.ts'

/** Records of an image. */
export interface RecordsSummary {
  readonly total: number
  /** How many there are of each, by layer and name; unknown types by number. */
  readonly byName: Readonly<Record<string, number>>
}

/** Counts records, and what lies between checkpoints. */
export class RecordTally {
  readonly #byName = new Map<string, number>()
  readonly #complete = { libxl: 0, libxc: 0 }
  readonly #afterLast = { libxl: 0, libxc: 0 }
  #total = 0

  add({ layer, type, name }: RecordItem): void {
    const key = `${layer} ${name ?? `0x${type.toString(16)}`}`
    this.#total++
    this.#byName.set(key, (this.#byName.get(key) ?? 0) + 1)
    this.#afterLast.libxl++
    this.#afterLast.libxc++
    if (layer === 'libxl' && type === XL2.CHECKPOINT_END) this.#passed('libxl')
    if (layer === 'libxc' && type === XC.CHECKPOINT) this.#passed('libxc')
  }

  /** @param layer whose record makes a checkpoint complete: libxl's where there is a libxl stream around. */
  checkpoints(layer: 'libxl' | 'libxc'): { readonly complete: number; readonly afterLast: number } {
    return { complete: this.#complete[layer], afterLast: this.#afterLast[layer] }
  }

  finish(): RecordsSummary {
    return { total: this.#total, byName: Object.fromEntries(this.#byName) }
  }

  #passed(layer: 'libxl' | 'libxc'): void {
    this.#complete[layer]++
    this.#afterLast[layer] = 0
  }
}
