import type { Ram } from '../memory/ram.ts'
import { seedRng } from '../random.ts'

/** pfn of the page in which the simulated guest keeps what it knows: all of it, so that it goes on wherever its memory is restored. */
export const STATE_PFN = 16
/** pfn of the page whose first 8 bytes count the guest's operations. */
export const COUNTER_PFN = 17

const MAGIC = [0x4d475258, 0x31545345] as const // "XRGMEST1"

/** Words of the page. Numbers above 32 bits take two, low first. */
const AT = {
  workload: 2, rate: 3, opsLow: 4, opsHigh: 5, suspended: 6, cancelled: 7, resumed: 8, regionStart: 9, regionPages: 10,
  packetEvery: 11, packets: 12, diskEvery: 13, diskWrites: 14, blocks: 15, dmaEvery: 16, dmaPfn: 17, tablesEvery: 18,
  startInfo: 20, storePage: 21, consolePage: 22, topTable: 23, directL1: 24, directPages: 25, fixL1: 26, fixIndex: 27,
  p2mList: 28, p2mTop: 29, p2mMid: 30, p2mFrames: 31, poolStart: 32, slots: 33, alive: 34, kernelL2: 35, seed: 36,
  noiseEvery: 37,
} as const

/** A number that the guest keeps in its state page. */
export type StateField = keyof typeof AT

const RNG_AT = 64

/** The state page of a simulated guest. */
export class StatePage {
  readonly #ram: Ram
  readonly words: Uint32Array
  /** Where the state of the guest's random generator begins in `words`. */
  readonly rng = RNG_AT

  constructor(ram: Ram) {
    this.#ram = ram
    this.words = ram.words(STATE_PFN)
  }

  /** Whether this guest is a simulated one; a guest saved elsewhere is not, and does nothing here. */
  get present(): boolean {
    return this.words[0] === MAGIC[0] && this.words[1] === MAGIC[1]
  }

  create(fields: Partial<Record<StateField, number>>, seed: number): void {
    this.words.set(MAGIC)
    for (const [field, value] of Object.entries(fields)) this.words[AT[field as StateField]] = value
    this.words[AT.seed] = seed
    seedRng(this.words, RNG_AT, seed)
    this.#ram.touch(STATE_PFN)
  }

  get(field: StateField): number {
    return this.words[AT[field]] as number
  }

  set(field: StateField, value: number): void {
    this.words[AT[field]] = value
    this.#ram.touch(STATE_PFN)
  }

  count(field: StateField): number {
    this.set(field, this.get(field) + 1)
    return this.get(field)
  }

  /** Operations done since the guest was made. */
  get ops(): number {
    return (this.words[AT.opsHigh] as number) * 2 ** 32 + (this.words[AT.opsLow] as number)
  }

  set ops(value: number) {
    this.words[AT.opsLow] = value % 2 ** 32
    this.words[AT.opsHigh] = Math.floor(value / 2 ** 32)
    this.#ram.touch(STATE_PFN)
  }
}
