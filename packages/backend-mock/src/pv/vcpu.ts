import type { PvVcpu } from '@xen-replication/hypervisor'
import { createFpu, createXsave } from '../cpu/xsave.ts'
import { randomBytes, hash32 } from '../random.ts'
import { cr3Of, mfnOfCr3, type Width } from './layout.ts'

/** Offsets in bytes of vcpu_guest_context. Source: public arch-x86/xen.h, measured. */
const FIELDS = {
  8: { bytes: 5168, word: 8, flags: 512, rbx: 560, rax: 600, rdx: 616, rip: 648, cs: 656, rflags: 664, rsp: 672, ss: 680, traps: 720, trapBytes: 16, gdtFrames: 4832, gdtEntries: 4960, kernelSs: 4968, kernelSp: 4976, control: 4984, callbacks: [5112, 5120, 5128], assist: 5136 },
  4: { bytes: 2800, word: 4, flags: 512, rbx: 516, rax: 540, rdx: 524, rip: 548, cs: 552, rflags: 556, rsp: 560, ss: 564, traps: 584, trapBytes: 8, gdtFrames: 2640, gdtEntries: 2704, kernelSs: 2708, kernelSp: 2712, control: 2716, callbacks: [2784, 2792], assist: 2796 },
} as const

/** Registers that the simulated guest uses. */
export type PvRegister = 'rax' | 'rbx' | 'rdx'

/** i387 valid, in kernel, online. */
const FLAGS = { VALID: 0x1, KERNEL: 0x4, ONLINE: 0x20 } as const
const GDT_ENTRIES = 16
const ENTRIES_PER_PAGE = 512
const MAX_GDT_ENTRIES = 7168
const SELECTORS = { 8: { cs: 0xe030, ss: 0xe02b }, 4: { cs: 0xe019, ss: 0xe021 } } as const

/** Bytes of a context of that width. */
export const contextBytes = (width: Width): number => FIELDS[width].bytes

/** vcpu_guest_context of one vCPU, as bytes that can be read and changed. Frame numbers in it are mfns. */
export class PvContext {
  readonly bytes: Uint8Array
  readonly #view: DataView
  readonly #width: Width

  constructor(bytes: Uint8Array, width: Width) {
    this.bytes = bytes
    this.#width = width
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  register(name: PvRegister): number {
    return this.#word(FIELDS[this.#width][name])
  }

  setRegister(name: PvRegister, value: number): void {
    this.#setWord(FIELDS[this.#width][name], value)
  }

  get online(): boolean {
    return (this.#view.getUint32(FIELDS[this.#width].flags, true) & FLAGS.ONLINE) !== 0
  }

  /** mfns of the top page tables: the kernel's, and the user's of a 64-bit guest (0 for none). */
  get topTables(): { readonly kernel: number; readonly user: number } {
    const { control, word } = FIELDS[this.#width]
    const at = (n: number): number => {
      const offset = control + n * word
      return mfnOfCr3(this.#view.getUint32(offset, true), this.#width === 8 ? this.#view.getUint32(offset + 4, true) : 0, this.#width)
    }
    return { kernel: at(3), user: this.#width === 8 ? at(1) : 0 }
  }

  setTopTables(kernel: number, user: number): void {
    const { control, word } = FIELDS[this.#width]
    const put = (n: number, mfn: number): void => {
      const { low, high } = cr3Of(mfn, this.#width)
      this.#view.setUint32(control + n * word, low, true)
      if (this.#width === 8) this.#view.setUint32(control + n * word + 4, high, true)
    }
    put(3, kernel)
    if (this.#width === 8) put(1, user)
  }

  /** mfns of the descriptor table; undefined when it claims more entries than Xen allows. */
  get gdtFrames(): readonly number[] | undefined {
    const { gdtFrames, gdtEntries, word } = FIELDS[this.#width]
    const entries = this.#word(gdtEntries)
    if (entries > MAX_GDT_ENTRIES) return undefined
    return Array.from({ length: Math.ceil(entries / ENTRIES_PER_PAGE) }, (_, i) => this.#word(gdtFrames + i * word))
  }

  /** A running kernel: in its code, interrupts on, a stack, handlers, a descriptor table. */
  create(places: { readonly text: number; readonly stack: number; readonly gdt: number; readonly id: number; readonly seed: number }): void {
    const at = FIELDS[this.#width]
    const { cs, ss } = SELECTORS[this.#width]
    this.bytes.set(createFpu(randomBytes(256, hash32(places.seed, places.id))), 0)
    this.#setWord(at.flags, FLAGS.VALID | FLAGS.KERNEL | FLAGS.ONLINE)
    this.#setWord(at.rip, places.text + 0x100)
    this.#view.setUint16(at.cs, cs, true)
    this.#setWord(at.rflags, 0x202)
    this.#setWord(at.rsp, places.stack + 0xf80 - places.id * 0x80)
    this.#view.setUint16(at.ss, ss, true)
    for (let vector = 0; vector < 20; vector += 1) this.#createTrap(vector, cs, places.text)
    this.#setWord(at.gdtFrames, places.gdt)
    this.#setWord(at.gdtEntries, GDT_ENTRIES)
    this.#setWord(at.kernelSs, ss)
    this.#setWord(at.kernelSp, places.stack + 0x1000)
    this.#setWord(at.control, 0x80050033)
    this.#setWord(at.control + 4 * at.word, 0x2660)
    at.callbacks.forEach((offset, n) => this.#setWord(offset, places.text + 0x800 + n * 0x40))
    this.#setWord(at.assist, 0x8)
    if (this.#width === 4) for (const offset of [2780, 2788]) this.#setWord(offset, cs)
  }

  #createTrap(vector: number, cs: number, text: number): void {
    const { traps, trapBytes, word } = FIELDS[this.#width]
    const at = traps + vector * trapBytes
    this.#view.setUint8(at, vector)
    this.#view.setUint16(at + 2, cs, true)
    this.#setWord(at + trapBytes - word, text + 0x200 + vector * 0x10)
  }

  /** Numbers as guests hold addresses: the upper half of 48 bits is meant to be negative. */
  #setWord(offset: number, value: number): void {
    this.#view.setUint32(offset, value % 2 ** 32, true)
    if (this.#width === 4) return
    const high = Math.floor(value / 2 ** 32)
    this.#view.setUint32(offset + 4, high >= 0x8000 ? (high | 0xffff0000) >>> 0 : high, true)
  }

  #word(offset: number): number {
    return this.#view.getUint32(offset, true) + (this.#width === 8 ? this.#view.getUint32(offset + 4, true) * 2 ** 32 : 0)
  }
}

/** The rest of a new vCPU. */
export function createPvExtras(id: number, width: Width, seed: number): Pick<PvVcpu, 'extended' | 'xsave' | 'msrs'> {
  const extended = new Uint8Array(64)
  const view = new DataView(extended.buffer)
  view.setUint32(0, id, true)
  view.setUint32(4, extended.length, true)
  if (width === 8) view.setBigUint64(16, 0xffffffff81000880n, true)
  view.setBigUint64(32, 0x1000002n, true)
  const msrs = new Uint8Array(id === 0 ? 0 : 16)
  if (id > 0) {
    const msr = new DataView(msrs.buffer)
    msr.setUint32(0, 0xc0000103, true) // TSC_AUX holds the number of the CPU, and zeros are left out
    msr.setBigUint64(8, BigInt(id), true)
  }
  return { extended, xsave: createXsave(randomBytes(256, hash32(seed, id, 1))), msrs }
}
